#include "tls/digest_auth.h"

#include "test.h"

/* RFC 7616, 3.9.1 */
static const char nonce[] = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
                  cnonce[] = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";

static void write(const char *algorithm, bool qop, bool userhash, struct buf *out)
{
    const struct digest_challenge c = {.realm = SLICE("http-auth@example.org"),
                                       .nonce = slice_of(nonce),
                                       .opaque = SLICE("a\"b"),
                                       .algorithm = slice_of(algorithm),
                                       .has_opaque = true,
                                       .has_qop = qop,
                                       .wants_userhash = userhash};
    const struct digest_request r = {.method = "GET",
                                     .uri = "/dir/index.html",
                                     .user = "Mufasa",
                                     .password = SLICE("Circle of Life"),
                                     .count = 1,
                                     .cnonce = cnonce};

    CHECK(digest_auth_write(out, &c, &r));
    buf_add(out, "", 1);
}

static bool holds(const struct buf *b, const char *text)
{
    return strstr(b->p, text) != NULL;
}

TEST(the_examples_of_the_rfc)
{
    static const struct {
        const char *algorithm, *response;
    } cases[] = {
        {"MD5", "response=\"8ca523f5e9506fed4657c9700eebdbec\""},
        {"SHA-256",
         "response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\""},
        {"sha-256", "algorithm=SHA-256"},
        {"MD5", "nc=00000001"},
        {"MD5", "qop=auth, "},
        {"MD5", "opaque=\"a\\\"b\""},
        {"", "response=\"8ca523f5e9506fed4657c9700eebdbec\""},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf b = {0};
        write(cases[i].algorithm, true, false, &b);
        CHECK_MSG(holds(&b, cases[i].response), "%s", b.p);
        buf_free(&b);
    }
}

TEST(sessions_and_hashed_users)
{
    struct buf b = {0};

    write("MD5-sess", true, true, &b);
    CHECK_MSG(holds(&b, "userhash=true") && !holds(&b, "Mufasa"), "%s", b.p);
    CHECK_MSG(!holds(&b, "8ca523f5e9506fed4657c9700eebdbec"), "%s", b.p);
    b.n = 0;
    write("MD5", false, false, &b); /* RFC 2069 */
    CHECK_MSG(!holds(&b, "nc=") && !holds(&b, "qop=") && !holds(&b, "cnonce="), "%s", b.p);
    buf_free(&b);
}

TEST(which_can_be_used)
{
    CHECK(digest_auth_strength(SLICE("")) == 1 && digest_auth_strength(SLICE("md5-SESS")) == 1);
    CHECK(digest_auth_strength(SLICE("SHA-256")) == 2);
    CHECK(digest_auth_strength(SLICE("SHA-512-256")) == 0 && digest_auth_strength(SLICE("x")) == 0);
}
