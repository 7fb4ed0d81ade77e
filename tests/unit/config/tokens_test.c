#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "config/tokens.h"
#include "test.h"

#define T16 "0123456789abcdef"
#define T64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static struct tokens *load(const char *text)
{
    struct tokens *t = NULL;
    struct diag why;

    CHECK_MSG(tokens_load(test_file("tokens", text), &t, &why) == ST_OK, "%s", why.text);
    return t;
}

TEST(each_line_is_a_token)
{
    struct tokens *t = load("\xef\xbb\xbf# old\n" T16 "\r\n\n \t\n  !second~token#16 \n" T64);

    CHECK(tokens_have(t, SLICE(T16)));
    CHECK(tokens_have(t, SLICE("!second~token#16")));
    CHECK(tokens_have(t, SLICE(T64)));
    tokens_free(t);
}

TEST(a_file_may_begin_with_an_empty_line)
{
    static const char *const texts[] = {"\n" T16, "\n\n" T16 "\n", "\r\n\n" T16};

    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct tokens *t = load(texts[i]);
        CHECK(tokens_have(t, SLICE(T16)));
        tokens_free(t);
    }
}

TEST(nothing_else_is_one)
{
    static const char *const others[] = {"",      "0123456789abcde", T16 "0",
                                         T16 " ", "# old",           "0123456789abcdeF",
                                         T64 T64, T16 T16,           "0123456789abcdeg"};
    struct tokens *t = load("# old\n" T16 "\n" T64 "\n");

    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        CHECK_MSG(!tokens_have(t, slice_of(others[i])), "%s", others[i]);
    CHECK(!tokens_have(t, (struct slice){NULL, 0}));
    tokens_free(t);
}

TEST(the_longest_token_is_whole)
{
    char *text = mem_new(TOKEN_MAX + 2);

    memset(text, 'x', TOKEN_MAX);
    struct tokens *t = load(text);
    CHECK(tokens_have(t, (struct slice){text, TOKEN_MAX}));
    CHECK(!tokens_have(t, (struct slice){text, TOKEN_MAX - 1}));
    text[TOKEN_MAX] = 'x';
    CHECK(!tokens_have(t, (struct slice){text, TOKEN_MAX + 1}));
    tokens_free(t);
    free(text);
}

static const struct {
    const char *name, *text, *word;
    int line; /* 0: the whole file */
} flaws[] = {
    {"empty", "", "no token", 0},
    {"comments only", "# a\n\n  # b\n", "no token", 0},
    {"UTF-16", "\xff\xfe" T16, "UTF-16", 0},
    {"short", T16 "\n0123456789abcde\n", "16", 2},
    {"a blank", "0123456789 abcdef\n", "blank", 1},
    {"a control character",
     "0123456789\x01"
     "abcdef\n",
     "visible", 1},
    {"no ASCII",
     "\n0123456789\xc3\xa4"
     "bcdef\n",
     "visible", 2},
    {"DEL",
     "0123456789\x7f"
     "abcdef\n",
     "visible", 1},
    {"long", T64 T64 T64 T64 T64 T64 T64 T64 "0", "512", 1},
};

TEST(what_is_no_token_is_told_without_it)
{
    for (size_t i = 0; i < ARRAY_LEN(flaws); i++) {
        struct tokens *t = NULL;
        struct diag why;
        const char *path = test_file("tokens", flaws[i].text);
        CHECK_INT(tokens_load(path, &t, &why), ST_BAD_INPUT, flaws[i].name);
        CHECK(t == NULL);
        char *where = flaws[i].line == 0 ? mem_format("%s: ", path)
                                         : mem_format("%s:%d: ", path, flaws[i].line);
        CHECK_MSG(strncmp(why.text, where, strlen(where)) == 0, "%s", why.text);
        CHECK_CONTAINS(why.text, flaws[i].word);
        CHECK_MSG(strstr(why.text, "123456789") == NULL, "%s", why.text);
        free(where);
    }
}

TEST(there_may_be_64)
{
    struct buf text = {0};
    struct tokens *t;
    struct diag why;

    for (int i = 0; i < TOKENS_MAX; i++)
        buf_addf(&text, "token-number-%04d\n", i);
    buf_add(&text, "", 1);
    t = load(text.p);
    CHECK(tokens_have(t, SLICE("token-number-0000")) && tokens_have(t, SLICE("token-number-0063")));
    tokens_free(t);
    text.n--;
    buf_addf(&text, "token-number-%04d\n", TOKENS_MAX);
    buf_add(&text, "", 1);
    CHECK_INT(tokens_load(test_file("tokens", text.p), &t, &why), ST_BAD_INPUT, "65");
    CHECK_CONTAINS(why.text, "64");
    buf_free(&text);
}
