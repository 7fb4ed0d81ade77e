#include "core/cookies.h"

#include <stdio.h>

#include "test.h"

static void check(struct cookies *c, const char *tenant, const char *value, const char *want)
{
    struct buf out = {0};

    cookies_write(c, tenant, slice_of(value), &out);
    CHECK_SLICE(buf_slice(&out), want, value);
    buf_free(&out);
}

TEST(cookies_go_to_whom_they_came_from)
{
    struct cookies *c = cookies_new();

    cookies_remember(c, "a", SLICE("JSESSIONID=1; Path=/; Secure"));
    cookies_remember(c, "b", SLICE("JSESSIONID=2"));
    cookies_remember(c, "a", SLICE("lang=en"));
    cookies_remember(c, "b", SLICE("lang=en"));
    check(c, "a", "JSESSIONID=1; x=y", "JSESSIONID=1; x=y");
    check(c, "a", "JSESSIONID=2; x=y", "x=y");
    check(c, "b", "x=y;JSESSIONID=1;  z", "x=y;  z");
    check(c, "b", "JSESSIONID=1", "");
    check(c, "c", "JSESSIONID=1; JSESSIONID=2; JSESSIONID=3", "JSESSIONID=3");
    check(c, "a", "", "");
    check(c, "a", "lang=en", "lang=en");
    check(c, "b", "lang=en", "lang=en");
    check(c, "c", "lang=en", "");
    cookies_free(c);
}

TEST(many_cookies_are_bounded_and_the_last_ones_known)
{
    struct cookies *c = cookies_new();
    char text[32];

    for (int i = 0; i < 100000; i++) {
        (void)snprintf(text, sizeof(text), "id=%d", i);
        cookies_remember(c, "a", slice_of(text));
    }
    check(c, "b", text, "");
    cookies_free(c);
}

TEST(cookies_are_known_however_a_jar_writes_them)
{
    static const char *const set[][4] = {
        {"SID = abc; Path=/", "SID=abc", "SID= abc", "SID=\"abc\""},
        {"SID=\"abc\"", "SID=abc", "SID =abc", "x=1, SID=abc"},
        {"=abc", "abc", "=abc", "= abc"},
        {"abc", "=abc", "abc", " abc "},
        {"S=\"a;bc\"", "S=\"a;bc\"", "S=\"a; d\"; S=\"a", "S=\"a;bc;d\""},
    };

    for (size_t i = 0; i < ARRAY_LEN(set); i++) {
        struct cookies *c = cookies_new();
        cookies_remember(c, "a", slice_of(set[i][0]));
        for (size_t k = 1; k < 4; k++) {
            check(c, "b", set[i][k], "");
            check(c, "a", set[i][k], *set[i][k] == ' ' ? "abc" : set[i][k]);
        }
        check(c, "b", "SID=abcd; S=b; x", "SID=abcd; S=b; x");
        cookies_free(c);
    }
}
