#include "caller/census.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "test.h"

static struct peer from(const char *address)
{
    struct peer p = {.kind = PEER_REMOTE};
    struct diag why;

    CHECK(address_parse(address, &p.from, &why) == ST_OK);
    return p;
}

static struct peer user(uid_t uid)
{
    struct peer p = {.kind = PEER_TOLD, .uid = uid};

    p.from.any.sa_family = AF_INET;
    return p;
}

static const struct {
    const char *name, *one, *other;
    bool same;
} cases[] = {
    {"ports do not matter", "192.0.2.1:1", "192.0.2.1:2", true},
    {"addresses do", "192.0.2.1:1", "192.0.2.2:1", false},
    {"a /64 is one caller", "[2001:db8::1]:1", "[2001:db8::ffff:2]:1", true},
    {"another /64 is another", "[2001:db8::1]:1", "[2001:db8:0:1::1]:1", false},
};

TEST(census_tells_callers_apart)
{
    struct census *c = census_new();

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct peer one = from(cases[i].one), other = from(cases[i].other);
        struct census_entry *a = census_take(c, &one, 1), *b = census_take(c, &other, 1);
        CHECK_INT(a != NULL, 1, cases[i].name);
        CHECK_INT(b == NULL, cases[i].same, cases[i].name);
        census_give(c, a);
        census_give(c, b);
    }
    census_free(c);
}

TEST(census_counts_up_and_down)
{
    struct census *c = census_new();
    struct census_entry *taken[3000];
    struct peer p;

    for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
        p = user((uid_t)(i / 3));
        taken[i] = census_take(c, &p, 3);
        CHECK(taken[i] != NULL);
    }
    for (uid_t i = 0; i < 1000; i++) {
        p = user(i);
        CHECK(census_take(c, &p, 3) == NULL);
    }
    for (size_t i = 0; i < ARRAY_LEN(taken); i += 3)
        census_give(c, taken[i]);
    for (size_t i = 0; i < ARRAY_LEN(taken); i += 3) {
        p = user((uid_t)(i / 3));
        taken[i] = census_take(c, &p, 3);
        CHECK(taken[i] != NULL);
    }
    for (size_t i = 0; i < ARRAY_LEN(taken); i++)
        census_give(c, taken[i]);
    census_free(c);
}
