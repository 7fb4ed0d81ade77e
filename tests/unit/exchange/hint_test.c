#include "exchange/hint.h"

#include "base/mem.h"
#include "test.h"

/* A value of RFC 9651: printable ASCII, and quotes that come in pairs. */
static void check_field(const struct buf *field, const char *what)
{
    size_t quotes = 0;

    for (size_t i = 0; i + 2 < field->n; i++) {
        CHECK_MSG(field->p[i] >= ' ' && field->p[i] < 0x7f, "%s", what);
        if (field->p[i] == '\\')
            i++;
        else if (field->p[i] == '"')
            quotes++;
    }
    CHECK_INT(quotes, 4, what);
    CHECK_MSG(field->n - strlen("Sfmtls-Hint: \r\n") <= HINT_MAX, "%s", what);
}

TEST(what_is_no_ascii_is_replaced_and_quotes_are_escaped)
{
    struct slice want = SLICE("cause=\"a \\\"b\\\" \\\\ ????\"; cure=\"");
    struct buf field = {0};

    hint_write_field(&field, cause_of(CAUSE_LGN0001), SLICE("a \"b\" \\ \xc3\xa4\r\n"));
    CHECK(memmem(field.p, field.n, want.p, want.n) != NULL);
    check_field(&field, "escapes");
    buf_free(&field);
}

/* The longest names that a certificate may have, and all that may be known. */
TEST(a_hint_is_never_too_long)
{
    struct tenant t = {.name = "acme"};
    struct hint_history h = {.tenant = &t,
                             .forwards_authorization = true,
                             .past = {.begun = 1, .identities = {{.last_success = 5, .since = 1}}},
                             .loaded = 10,
                             .switched = 20,
                             .now = 30};

    for (int i = 0; i < CAUSE_COUNT; i++) {
        enum cause_id id = (enum cause_id)i;
        struct cause_found found = {"AUTH0032"};
        struct buf sentence = {0}, field = {0};
        if (id == CAUSE_AUTH0032 || id == CAUSE_AUTH_UNKNOWN || id == CAUSE_EDGE_NO_CERTIFICATE ||
            id == CAUSE_EDGE_CERTIFICATE_ERROR || cause_of(id)->where != WHERE_ANSWER)
            continue; /* these show the certificate: tests/integration/test_hints.py */
        hint_write_sentence(&sentence, cause_of(id), &found, &h);
        hint_write_field(&field, cause_of(id), buf_slice(&sentence));
        check_field(&field, cause_of(id)->code);
        buf_free(&sentence);
        buf_free(&field);
    }
}
