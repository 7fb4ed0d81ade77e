#include "caller/caller_id.h"

#include "test.h"

static struct peer peer_from(enum peer_kind kind, const char *address)
{
    struct peer p = {.kind = kind, .uid = 1000};
    struct diag why;

    CHECK_INT(address_parse(address, &p.from, &why), ST_OK, address);
    return p;
}

static const struct {
    enum peer_kind kind;
    const char *from, *want;
} cases[] = {
    {PEER_TOLD, "192.0.2.1:1", "uid:1000"},
    {PEER_TOLD, "unix:/s", "uid:1000"},
    {PEER_REMOTE, "192.0.2.1:1", "addr:192.0.2.1"},
    {PEER_REMOTE, "[2001:db8::1]:1", "addr:2001:db8::1"},
    {PEER_REMOTE, "unix:/s", ""},
};

TEST(callers_have_a_name_for_the_log)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct peer p = peer_from(cases[i].kind, cases[i].from);
        struct caller_id c = caller_id_of_peer(&p);
        char text[CALLER_ID_TEXT_SIZE] = "before";
        caller_id_text(&c, text);
        CHECK_TEXT(text, cases[i].want, cases[i].from);
    }
}
