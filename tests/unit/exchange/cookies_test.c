#include "exchange/cookies.h"

#include <pthread.h>
#include <stdio.h>

#include "test.h"

static struct tenant a = {.name = "a", .url = "https://a", .company_id = "A"};
static struct tenant b = {.name = "b", .url = "https://a", .company_id = "A"};
static struct tenant n = {.name = "n", .url = "https://n", .company_id = "N"};

static void check(struct cookies *c, const struct tenant *t, const char *value, const char *want)
{
    struct buf out = {0};

    (void)cookies_write(c, t, slice_of(value), &out);
    CHECK_SLICE(buf_slice(&out), want, value);
    buf_free(&out);
}

TEST(cookies_go_to_whom_they_came_from_and_no_others_go)
{
    struct cookies *c = cookies_new();

    cookies_remember(c, &a, SLICE("JSESSIONID=1; Path=/; Secure"));
    cookies_remember(c, &b, SLICE("JSESSIONID=2"));
    cookies_remember(c, &a, SLICE("lang=en"));
    cookies_remember(c, &b, SLICE("lang=en"));
    cookies_remember(c, &a, SLICE("flag"));
    check(c, &a, "JSESSIONID=1; x=y", "JSESSIONID=1");
    check(c, &a, "x=y;JSESSIONID=1;  lang=en;flag", "JSESSIONID=1;  lang=en;flag");
    check(c, &a, "JSESSIONID=2; x=y", "");
    check(c, &a, "JSESSIONID", "");
    check(c, &a, "JSESSIONID=", "");
    check(c, &a, "jsessionid=1", "");
    check(c, &b, "x=y;JSESSIONID=1;  z", "");
    check(c, &b, "JSESSIONID=1; JSESSIONID=2", "JSESSIONID=2");
    check(c, &b, "lang=en", "lang=en");
    check(c, &n, "JSESSIONID=1; JSESSIONID=2; JSESSIONID=3; lang=en; flag", "");
    check(c, &a, "", "");
    check(c, &a, ";; ;", "");
    check(c, &a, "; JSESSIONID=1 ;;", "JSESSIONID=1");
    cookies_free(c);
}

/* However a part is quoted or joined with another one, only what was set as such passes. */
TEST(nothing_hides_in_a_known_cookie)
{
    struct cookies *c = cookies_new();

    cookies_remember(c, &a, SLICE("s=\"a\"; Path=/"));
    cookies_remember(c, &b, SLICE("t=1"));
    check(c, &a, "s=a, t=1", "");
    check(c, &a, "s=\"a; t=1\"", "");
    check(c, &a, "s=a; \"t=1", "s=a");
    check(c, &a, "$Version=1; s=a; $Path=/", "s=a");
    check(c, &a, "s=a;t=1", "s=a");
    check(c, &a, "s=\"\"a\"\"", "");
    cookies_free(c);
}

/* Whoever makes one server set many cookies pushes none of another tenant out. */
TEST(many_cookies_are_bounded_for_each_tenant)
{
    struct cookies *c = cookies_new();
    char text[32];
    int known = 0;

    cookies_remember(c, &b, SLICE("id=b"));
    cookies_remember(c, &a, SLICE("id=a"));
    for (int i = 0; i < 100000; i++) {
        (void)snprintf(text, sizeof(text), "id=%d", i);
        cookies_remember(c, &a, slice_of(text));
        check(c, &a, text, text);
        if (i % 100 == 0)
            check(c, &a, "id=a", "id=a"); /* in use */
    }
    check(c, &b, text, "");
    check(c, &b, "id=b", "id=b");
    for (int i = 0; i < 100000; i++) {
        struct buf out = {0};
        (void)snprintf(text, sizeof(text), "id=%d", i);
        (void)cookies_write(c, &a, slice_of(text), &out);
        known += out.n > 0;
        buf_free(&out);
    }
    CHECK(known > COOKIES_OF_TENANT * 3 / 4 && known <= COOKIES_OF_TENANT);
    cookies_free(c);
}

TEST(cookies_are_known_however_a_jar_writes_them)
{
    static const char *const set[][4] = {
        {"SID = abc; Path=/", "SID=abc", "SID= abc", "SID=\"abc\""},
        {"SID=\"abc\"", "SID=abc", "SID =abc", "SID = \"abc\""},
        {"=abc", "abc", "=abc", "= abc"},
        {"abc", "=abc", "abc", " abc "},
    };

    for (size_t i = 0; i < ARRAY_LEN(set); i++) {
        struct cookies *c = cookies_new();
        cookies_remember(c, &a, slice_of(set[i][0]));
        for (size_t k = 1; k < 4; k++) {
            check(c, &b, set[i][k], "");
            check(c, &a, set[i][k], *set[i][k] == ' ' ? "abc" : set[i][k]);
        }
        check(c, &a, "SID=abcd; S=b; x", "");
        cookies_free(c);
    }
}

TEST(a_tenant_is_who_it_was_by_name_server_and_company)
{
    struct cookies *c = cookies_new();
    struct tenant renewed = a, moved = a, other = a;
    struct tenant *now[] = {&renewed, &n};
    struct config config = {.tenants = now, .ntenants = 2};

    renewed.identities[IDENTITY_CURRENT].certificate = "new.pem";
    moved.url = "https://a2";
    other.company_id = "A2";
    cookies_remember(c, &a, SLICE("s=1"));
    cookies_remember(c, &b, SLICE("s=2"));
    check(c, &renewed, "s=1", "s=1");
    check(c, &moved, "s=1", "");
    check(c, &other, "s=1", "");
    cookies_keep_only(c, &config);
    check(c, &a, "s=1", "s=1");
    check(c, &b, "s=2", "");
    cookies_free(c);
}

TEST(what_is_left_out_is_told_once_of_each_tenant)
{
    struct cookies *c = cookies_new();
    struct buf out = {0};

    cookies_remember(c, &a, SLICE("s=1"));
    CHECK(!cookies_write(c, &a, SLICE("s=1"), &out));
    CHECK(cookies_write(c, &a, SLICE("s=1; s=2"), &out));
    CHECK(!cookies_write(c, &a, SLICE("s=2"), &out));
    CHECK(cookies_write(c, &b, SLICE("s=1"), &out));
    buf_free(&out);
    cookies_free(c);
}

static void *use(void *arg)
{
    struct cookies *c = arg;
    char text[32];

    for (int i = 0; i < 2000; i++) {
        (void)snprintf(text, sizeof(text), "id=%d", i % 50);
        cookies_remember(c, i % 2 == 0 ? &a : &b, slice_of(text));
        check(c, &n, text, "");
    }
    return NULL;
}

TEST(threads_share_what_is_known)
{
    struct cookies *c = cookies_new();
    pthread_t threads[4];

    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        CHECK_INT(pthread_create(&threads[i], NULL, use, c), 0, "thread");
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        (void)pthread_join(threads[i], NULL);
    check(c, &a, "id=0; id=1", "id=0");
    check(c, &b, "id=0; id=1", "id=1");
    cookies_free(c);
}
