/* Texts that cannot be trusted, as lines of a configuration file. */
#include <stdlib.h>

#include "cli/import_text.h"
#include "test.h"

TEST(values_that_a_line_cannot_hold)
{
    static const struct {
        const char *value;
        bool fits;
    } cases[] = {
        {"x", true},
        {"a b", true},
        {"a;b", true},
        {"a=b [c] #d", true},
        {"\xc3\xa4", true},
        {"", false},
        {" x", false},
        {"x ", false},
        {"\tx", false},
        {"x\t", false},
        {";x", false},
        {"a ;b", false},
        {"a\t;b", false},
        {"a\nb", false},
        {"a\rb", false},
        {"a\vb", false},
        {"a\x7f", false},
        {"a\xc2\x85"
         "b",
         false},
        {"a\xe4", false},
        {"a\xed\xa0\x80", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_INT(import_text_flaw("key", cases[i].value) == NULL, cases[i].fits, cases[i].value);
    CHECK(import_text_flaw("a\nb", "x") != NULL);
    char *longest = malloc(8193);
    memset(longest, 'x', 8192);
    longest[8192] = '\0';
    CHECK(import_text_flaw("key", longest) != NULL);
    longest[100] = '\0';
    CHECK(import_text_flaw("key", longest) == NULL);
    free(longest);
}

static void check_comment(const char *text, const char *want)
{
    struct buf out = {0};

    import_text_comment(&out, "%s", text);
    CHECK_SLICE(buf_slice(&out), want, text);
    buf_free(&out);
}

#define TEN   "0123456789"
#define FIFTY TEN TEN TEN TEN TEN

TEST(comments_are_wrapped_and_visible)
{
    check_comment("a", "; a\n");
    check_comment("a  b", "; a b\n");
    check_comment("a\nlisten = 1", "; a?listen = 1\n");
    check_comment("a\r\n[proxy]", "; a??[proxy]\n");
    check_comment("\x1b[31m\xff\xc3\xa4", "; ?[31m?\xc3\xa4\n");
    check_comment(FIFTY " " FIFTY, "; " FIFTY "\n; " FIFTY "\n");
    check_comment(FIFTY FIFTY, "; " FIFTY TEN TEN TEN TEN "01234567\n; 89\n");
    check_comment("a " FIFTY FIFTY, "; a\n; " FIFTY TEN TEN TEN TEN "01234567\n; 89\n");
}

TEST(names_of_tenants)
{
    static const struct {
        const char *text;
        unsigned number;
        const char *want;
    } cases[] = {
        {"acme", 1, "acme"},
        {"sap_hcm.core-1", 1, "sap_hcm.core-1"},
        {"my dest!", 1, "my-dest"},
        {"  a // b  ", 1, "a-b"},
        {"", 1, "imported"},
        {NULL, 1, "imported"},
        {"\xc3\xa4\xc3\xb6", 1, "imported"},
        {"x]\n[proxy", 1, "x-proxy"},
        {"acme", 2, "acme-2"},
        {"01234567890123456789012345678901234567", 1, "01234567890123456789012345678901"},
        {"01234567890123456789012345678901234567", 12, "01234567890123456789012345678-12"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char name[IMPORT_NAME_SIZE];
        import_text_name(cases[i].text, cases[i].number, name);
        CHECK_TEXT(name, cases[i].want, cases[i].want);
    }
}
