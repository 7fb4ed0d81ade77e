#include "http/set_cookie.h"

#include "test.h"

#define CHECK_COOKIE(value, host, tls, want)                                                       \
    do {                                                                                           \
        struct buf out = {0};                                                                      \
        set_cookie_write(slice_of(value), slice_of(host), tls, &out);                              \
        CHECK_SLICE(buf_slice(&out), want, value);                                                 \
        buf_free(&out);                                                                            \
    } while (0)

/* What tests/integration/test_set_cookie.py shows without TLS is different with it. */
TEST(secure_stays_with_tls)
{
    static const char *const cases[] = {
        "a=b; Secure; SameSite=None; Partitioned",
        "a=b; SameSite=Strict; SameSite=None; Secure;",
        "__Host-a=b; Secure; Path=/",
        "a=b;",
        "a",
        "",
        ";",
        ";;",
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_COOKIE(cases[i], "api4.successfactors.com", true, cases[i]);
}

TEST(domain_is_kept_where_it_covers_the_host)
{
    static const struct {
        const char *domain, *host;
        bool stays;
    } cases[] = {
        {"successfactors.com", "api4.successfactors.com", true},
        {".SuccessFactors.com", "api4.successfactors.com", true},
        {"api4.successfactors.com", "API4.successfactors.com", true},
        {"factors.com", "api4.successfactors.com", false},
        {"x.api4.successfactors.com", "api4.successfactors.com", false},
        {"..com", "api4.successfactors.com", false},
        {".", "api4.successfactors.com", false},
        {"1", "10.0.0.1", false},
        {"10.0.0.1", "10.0.0.1", true},
        {":1]", "[::1]", false},
        {"", "localhost", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf value = {0};
        buf_addf(&value, "a=b; Domain=%s%c", cases[i].domain, '\0');
        CHECK_COOKIE(value.p, cases[i].host, true, cases[i].stays ? value.p : "a=b");
        buf_free(&value);
    }
}
