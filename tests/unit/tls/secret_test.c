#include "test.h"
#include "tls/secret.h"

static const unsigned char key[SECRET_KEY_SIZE] = "a key";

static bool same(struct slice a, struct slice b, struct slice c, struct slice d)
{
    const struct slice one[] = {a, b}, other[] = {c, d};
    unsigned char x[SECRET_MAC_SIZE], y[SECRET_MAC_SIZE];

    secret_mac(key, one, 2, x);
    secret_mac(key, other, 2, y);
    return secret_equal(x, y, sizeof(x));
}

TEST(a_mac_tells_where_its_parts_end)
{
    CHECK(same(SLICE("ab"), SLICE("c"), SLICE("ab"), SLICE("c")));
    CHECK(same(SLICE(""), SLICE(""), (struct slice){NULL, 0}, SLICE("")));
    CHECK(!same(SLICE("ab"), SLICE("c"), SLICE("a"), SLICE("bc")));
    CHECK(!same(SLICE("ab"), SLICE("c"), SLICE("abc"), SLICE("")));
    CHECK(!same(SLICE("ab"), SLICE("c"), SLICE("ab"), SLICE("d")));
    CHECK(!same(SLICE("ab"), SLICE("c"), SLICE("ab"), SLICE("c\0")));
}

TEST(a_mac_is_its_keys)
{
    const struct slice part = SLICE("x");
    unsigned char random[SECRET_KEY_SIZE], other[SECRET_KEY_SIZE];
    unsigned char a[SECRET_MAC_SIZE], b[SECRET_MAC_SIZE];

    secret_make_key(random);
    secret_make_key(other);
    CHECK(!secret_equal(random, other, sizeof(random)));
    secret_mac(random, &part, 1, a);
    secret_mac(other, &part, 1, b);
    CHECK(!secret_equal(a, b, sizeof(a)));
    secret_wipe(random, sizeof(random));
    CHECK_INT(random[0] | random[1] | random[SECRET_KEY_SIZE - 1], 0, "wiped");
}
