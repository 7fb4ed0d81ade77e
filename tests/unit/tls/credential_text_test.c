#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "test.h"
#include "tls/credential_parts.h"

#define BEGIN "-----BEGIN X-----\n"
#define END   "-----END X-----\n"

/* What a text becomes; want NULL: it is refused, with these words. */
static const struct {
    const char *name, *text, *want, *says;
} cases[] = {
    {"as it should be", BEGIN "AAAA\nBBBB\n" END, BEGIN "AAAA\nBBBB\n" END, NULL},
    {"no line end at the end", BEGIN "AAAA\n-----END X-----", BEGIN "AAAA\n" END, NULL},
    {"CRLF", "-----BEGIN X-----\r\nAAAA\r\n-----END X-----\r\n", BEGIN "AAAA\n" END, NULL},
    {"blanks around", "  -----BEGIN X-----\t\n \tAAAA  \n  -----END X-----\n", BEGIN "AAAA\n" END,
     NULL},
    {"empty lines within", BEGIN "\n\nAAAA\n \n\nBBBB\n\n" END, BEGIN "AAAA\nBBBB\n" END, NULL},
    {"empty lines between", BEGIN "A\n" END "\n\n" BEGIN "B\n" END,
     BEGIN "A\n" END "\n\n" BEGIN "B\n" END, NULL},
    {"a header", BEGIN "Proc-Type: 4\nDEK-Info: x\n\nAAAA\n" END,
     BEGIN "Proc-Type: 4\nDEK-Info: x\n\nAAAA\n" END, NULL},
    {"a header with empty lines", BEGIN "Proc-Type: 4\n\nDEK-Info: x\n\n\nAAAA\n\n" END,
     BEGIN "Proc-Type: 4\nDEK-Info: x\n\nAAAA\n" END, NULL},
    {"a header alone", BEGIN "Proc-Type: 4\n\n" END, BEGIN "Proc-Type: 4\n" END, NULL},
    {"written out", "-----BEGIN X-----\\nAAAA\\nBBBB\\n-----END X-----\\n",
     BEGIN "AAAA\nBBBB\n" END, NULL},
    {"written out, CRLF", "-----BEGIN X-----\\r\\nAAAA\\r\\n-----END X-----\\r\\n",
     BEGIN "AAAA\n" END, NULL},
    {"written out in part", BEGIN "AAAA\n" END "-----BEGIN X-----\\nBBBB\\n-----END X-----\n",
     BEGIN "AAAA\n" END BEGIN "BBBB\n" END, NULL},
    {"quoted", "\"-----BEGIN X-----\\nAAAA\\n-----END X-----\\n\"\n", BEGIN "AAAA\n" END "\"\n",
     NULL},
    {"quoted over lines", "'" BEGIN "AAAA\n-----END X-----'\n", BEGIN "AAAA\n" END, NULL},
    {"behind a name", "key: " BEGIN "AAAA\n" END, NULL, "is within other text"},
    {"behind a name, beside another", "key: " BEGIN "AAAA\n" END BEGIN "BBBB\n" END, NULL,
     "is within other text"},
    {"spoken of", "# -----BEGIN X----- is first\n" BEGIN "AAAA\n" END,
     "# -----BEGIN X----- is first\n" BEGIN "AAAA\n" END, NULL},
    {"in JSON", "{\"key\": \"-----BEGIN X-----\\nAAAA\\n-----END X-----\\n\"}\n", NULL, "is JSON"},
};

TEST(pem_is_read_as_people_pass_it_on)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf out = {0};
        struct diag why = {""};
        enum status st = credential_clean_text("file", slice_of(cases[i].text), &out, &why);
        CHECK_INT(st, cases[i].want == NULL ? ST_BAD_INPUT : ST_OK, cases[i].name);
        if (cases[i].want != NULL)
            CHECK_SLICE(buf_slice(&out), cases[i].want, cases[i].name);
        else
            CHECK_CONTAINS(why.text, cases[i].says);
        buf_free(&out);
    }
}

/* What was read stays where it is, so that it can be wiped; and each byte is looked at once. */
TEST(it_never_grows)
{
    static const char *const pieces[] = {"\n", "\\n", "\\r\\n", "a", ":", "-----", " "};

    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        struct buf text = {0}, out = {0};
        struct diag why;
        buf_add_string(&text, "-----BEGIN X-----\\n");
        while (text.n < 300000)
            buf_add_string(&text, pieces[i]);
        CHECK_INT(credential_clean_text("file", buf_slice(&text), &out, &why), ST_OK, pieces[i]);
        CHECK(out.n <= text.n + 2);
        buf_free(&text);
        buf_free(&out);
    }
}
