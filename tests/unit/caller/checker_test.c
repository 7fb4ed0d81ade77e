#include <crypt.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "caller/admitted.h"
#include "caller/checker.h"
#include "config/callers.h"
#include "test.h"

/* ---- what is remembered ---- */

static const unsigned char *mac_of(int n)
{
    static unsigned char mac[SECRET_MAC_SIZE];

    memset(mac, 0, sizeof(mac));
    mac[0] = (unsigned char)(n % 7); /* many share a bucket */
    memcpy(mac + 8, &n, sizeof(n));
    return mac;
}

TEST(what_was_right_is_known_for_five_minutes)
{
    struct admitted *a = admitted_new();

    CHECK(!admitted_has(a, mac_of(1), 1000));
    admitted_put(a, mac_of(1), 1000);
    admitted_put(a, mac_of(2), 2000);
    CHECK(admitted_has(a, mac_of(1), 1000 + ADMITTED_MS - 1));
    CHECK(!admitted_has(a, mac_of(8), 1000));
    CHECK(!admitted_has(a, mac_of(1), 1000 + ADMITTED_MS));
    CHECK(admitted_has(a, mac_of(2), 1000 + ADMITTED_MS));
    CHECK(!admitted_has(a, mac_of(2), 2000 + ADMITTED_MS));
    admitted_free(a);
}

TEST(what_was_right_again_is_known_for_longer)
{
    struct admitted *a = admitted_new();

    admitted_put(a, mac_of(1), 0);
    admitted_put(a, mac_of(2), 1);
    admitted_put(a, mac_of(1), 2);
    CHECK(!admitted_has(a, mac_of(2), ADMITTED_MS + 1));
    CHECK(admitted_has(a, mac_of(1), ADMITTED_MS + 1));
    admitted_free(a);
}

TEST(the_oldest_makes_room)
{
    struct admitted *a = admitted_new();

    for (int i = 0; i < ADMITTED_MAX + 10; i++)
        admitted_put(a, mac_of(i), i);
    for (int i = 0; i < ADMITTED_MAX + 10; i++)
        CHECK_INT(admitted_has(a, mac_of(i), 2000), i >= 10, "");
    admitted_free(a);
}

/* ---- the checker ---- */

struct asked {
    struct loop *loop;
    struct checker *checker;
    int answers, fitting;
};

static void on_answer(void *ctx, bool fits)
{
    struct asked *a = ctx;

    a->answers++;
    a->fitting += fits;
}

static struct asked begin(void)
{
    return (struct asked){.loop = loop_new(), .checker = checker_new()};
}

static void end(struct asked *a)
{
    checker_stop(a->checker);
    loop_turn(a->loop, false);
    loop_turn(a->loop, false);
    loop_free(a->loop);
    checker_free(a->checker);
}

static void wait_for(struct asked *a, int answers)
{
    while (a->answers < answers)
        loop_turn(a->loop, true);
}

static enum checker_answer ask(struct asked *a, const char *tenant, const char *hash,
                               struct slice password, struct check **out)
{
    struct credentials what = {tenant, hash, SLICE("user"), password};

    return checker_ask(a->checker, a->loop, &what, on_answer, a, out);
}

/* Asks, and waits for the answer. */
static bool fits(struct asked *a, const char *hash, struct slice password)
{
    struct check *k;
    int before = a->fitting;
    enum checker_answer answer = ask(a, "acme", hash, password, &k);

    if (answer == CHECKER_WAITS)
        wait_for(a, a->answers + 1);
    return answer == CHECKER_FITS || a->fitting > before;
}

static const char *hash_of(const char *password, const char *setting)
{
    static struct crypt_data room;

    return crypt_rn(password, setting, &room, sizeof(room));
}

#define CHEAP "$2b$04$abcdefghijklmnopqrstuu"
#define DEAR  "$2b$12$abcdefghijklmnopqrstuu"
#define YES   "$y$j75$abcdefghijklmnopqrstu/"

TEST(passwords_fit_or_do_not)
{
    static const char *const settings[] = {CHEAP, YES, "$2a$04$abcdefghijklmnopqrstuu",
                                           "$2y$04$abcdefghijklmnopqrstuu"};
    static const struct slice passwords[] = {SLICE("pw"),  SLICE(""),      SLICE("p:w"), SLICE(" "),
                                             SLICE("p w"), SLICE("p\xc3"), SLICE("\xff")};
    struct asked a = begin();

    for (size_t s = 0; s < ARRAY_LEN(settings); s++) {
        for (size_t i = 0; i < ARRAY_LEN(passwords); i++) {
            const char *hash = hash_of(passwords[i].p, settings[s]);
            for (size_t k = 0; k < ARRAY_LEN(passwords); k++)
                CHECK_INT(fits(&a, hash, passwords[k]), i == k, hash);
            for (size_t k = 0; k < ARRAY_LEN(passwords); k++)
                CHECK_INT(fits(&a, hash, passwords[k]), i == k, "a second time");
        }
    }
    CHECK_MSG(!fits(&a, hash_of("pw", CHEAP), SLICE("pw\0x")), "crypt(3) would end at the NUL");
    end(&a);
}

TEST(long_passwords_are_whole_or_refused)
{
    char x[600];
    struct asked a = begin();

    memset(x, 'x', sizeof(x));
    x[72] = '\0';
    const char *hash = hash_of(x, CHEAP);
    CHECK(fits(&a, hash, (struct slice){x, 72}));
    x[72] = 'x';
    CHECK_MSG(!fits(&a, hash, (struct slice){x, 73}), "bcrypt ends at 72");
    CHECK(!fits(&a, hash, (struct slice){x, 71}));
    x[73] = '\0';
    hash = hash_of(x, YES);
    CHECK_MSG(fits(&a, hash, (struct slice){x, 73}), "yescrypt does not");
    x[73] = 'x';
    CHECK(!fits(&a, hash, (struct slice){x, 72}));
    CHECK(!fits(&a, hash, (struct slice){x, 74}));
    CHECK(!fits(&a, hash, (struct slice){x, sizeof(x)}));
    end(&a);
}

TEST(nobody_fits_the_hash_of_nobody)
{
    static const char *const settings[] = {CHEAP, YES};
    struct asked a = begin();

    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        char text[200];
        struct callers *c;
        struct diag why;
        (void)snprintf(text, sizeof(text), "user:%s\n", hash_of("pw", settings[i]));
        CHECK_MSG(callers_load(test_file("callers", text), &c, &why) == ST_OK, "%s", why.text);
        CHECK(fits(&a, callers_hash(c, SLICE("user")), SLICE("pw")));
        CHECK(!fits(&a, callers_hash(c, SLICE("nobody")), SLICE("pw")));
        callers_free(c);
    }
    end(&a);
}

TEST(what_is_known_is_one_tenants_and_one_hashs)
{
    struct asked a = begin();
    struct check *k;
    char old[64];

    (void)snprintf(old, sizeof(old), "%s", hash_of("pw", CHEAP));
    CHECK(fits(&a, old, SLICE("pw")));
    CHECK_INT(ask(&a, "acme", old, SLICE("pw"), &k), CHECKER_FITS, "");
    CHECK_INT(ask(&a, "globex", old, SLICE("pw"), &k), CHECKER_WAITS, "another tenant");
    CHECK_INT(ask(&a, "acme", hash_of("pw", YES), SLICE("pw"), &k), CHECKER_WAITS, "another hash");
    CHECK_INT(ask(&a, "acme", old, SLICE("pw2"), &k), CHECKER_WAITS, "another password");
    wait_for(&a, 4);
    CHECK_INT(a.fitting, 3, "");
    CHECK_INT(ask(&a, "acme", old, SLICE("pw2"), &k), CHECKER_WAITS, "what was wrong is not kept");
    wait_for(&a, 5);
    end(&a);
}

TEST(a_damaged_hash_fits_nothing)
{
    struct asked a = begin();

    CHECK(!fits(&a, "*0", SLICE("pw")));
    CHECK(!fits(&a, "*1", SLICE("pw")));
    CHECK(!fits(&a, "$2b$04$", SLICE("pw")));
    end(&a);
}

/* Asks with one wrong password after the other, until no more may wait. */
static int fill(struct asked *a, const char *setting, struct check **checks, int max)
{
    const char *hash = hash_of("pw", setting);
    int n = 0;

    for (; n < max; n++) {
        char password[16];
        (void)snprintf(password, sizeof(password), "%d", n);
        if (ask(a, "acme", hash, slice_of(password), &checks[n]) != CHECKER_WAITS)
            break;
    }
    return n;
}

TEST(a_few_may_wait)
{
    struct asked a = begin();
    struct check *checks[2 * CHECKER_QUEUE];

    int n = fill(&a, DEAR, checks, ARRAY_LEN(checks) - 1);
    CHECK_MSG(n >= CHECKER_QUEUE && n < 2 * CHECKER_QUEUE - 1, "%d", n);
    char last[16];
    (void)snprintf(last, sizeof(last), "%d", n - 1);
    CHECK_INT(ask(&a, "acme", hash_of("pw", DEAR), slice_of(last), &checks[n]), CHECKER_WAITS,
              "what waits already");
    for (int i = 0; i <= n; i++)
        check_cancel(checks[i]);
    CHECK_MSG(fits(&a, hash_of("pw", CHEAP), SLICE("pw")), "there is room again");
    CHECK_INT(a.answers, 1, "only its own");
    end(&a);
}

TEST(whoever_cancels_hears_nothing)
{
    struct asked a = begin();
    struct check *checks[10];

    int n = fill(&a, CHEAP, checks, ARRAY_LEN(checks));
    for (int i = 0; i < n; i++)
        check_cancel(checks[i]); /* waits, is tried, or its answer is on its way */
    CHECK(fits(&a, hash_of("pw", CHEAP), SLICE("pw")));
    CHECK_INT(a.answers, 1, "only its own");
    end(&a);
}

TEST(equal_questions_are_cancelled_one_by_one)
{
    struct asked a = begin();
    struct check *checks[3], *one, *two;
    const char *hash = hash_of("pw", CHEAP);

    (void)fill(&a, CHEAP, checks, ARRAY_LEN(checks));
    CHECK_INT(ask(&a, "acme", hash, SLICE("wrong"), &one), CHECKER_WAITS, "");
    CHECK_INT(ask(&a, "acme", hash, SLICE("wrong"), &two), CHECKER_WAITS, "");
    check_cancel(one);
    wait_for(&a, 4);
    CHECK(fits(&a, hash, SLICE("pw")));
    CHECK_INT(a.answers, 5, "the other one, and not the one");
    end(&a);
}

TEST(an_end_with_questions_left)
{
    struct asked a = begin();
    struct check *checks[20], *first;

    CHECK_INT(ask(&a, "acme", hash_of("pw", DEAR), SLICE("pw"), &first), CHECKER_WAITS, "");
    int n = fill(&a, CHEAP, checks, ARRAY_LEN(checks));
    checker_stop(a.checker);
    check_cancel(first); /* its answer is on its way, or it never began */
    for (int i = 0; i < n; i++)
        check_cancel(checks[i]);
    CHECK_INT(fill(&a, CHEAP, checks, 1), 0, "nothing begins any more");
    end(&a);
    CHECK_INT(a.answers, 0, "");
}

/* Asks one question more than may wait: the first is being tried then. */
static void ask_until_first_is_tried(struct asked *a, const char *hash, struct check **first,
                                     struct check **checks)
{
    CHECK_INT(ask(a, "acme", hash, SLICE("pw"), first), CHECKER_WAITS, "");
    for (int i = 0; i < CHECKER_QUEUE; i++) {
        char password[16];
        (void)snprintf(password, sizeof(password), "%d", i);
        while (ask(a, "acme", hash, slice_of(password), &checks[i]) == CHECKER_FULL)
            sched_yield();
    }
}

TEST(an_end_waits_for_what_is_being_tried)
{
    struct asked a = begin();
    struct check *checks[CHECKER_QUEUE], *first;
    const char *hash = hash_of("pw", DEAR);

    ask_until_first_is_tried(&a, hash, &first, checks);
    checker_stop(a.checker);
    check_cancel(first);
    for (int i = 0; i < CHECKER_QUEUE; i++)
        check_cancel(checks[i]);
    CHECK_INT(ask(&a, "acme", hash, SLICE("pw"), &first), CHECKER_FITS, "its answer is known");
    end(&a);
}
