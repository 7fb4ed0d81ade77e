#include "exchange/sessions.h"

#include <stdio.h>

#include "head_reader.h"
#include "test.h"

enum { NOW_S = 784111777 };

static struct sessions *all;
static struct session_key mine;

static void begin(void)
{
    const struct slice part = SLICE("me");

    all = sessions_new();
    sessions_make_key(all, &part, 1, &mine);
}

/* What a request gets of it; *number is the session's. */
static const char *sent_at(const char *path, bool with_token, int64_t now, uint64_t *number)
{
    static char text[4096];
    struct buf out = {0};

    *number = sessions_write(all, &mine, slice_of(path), with_token, now, &out);
    CHECK(out.n < sizeof(text));
    memcpy(text, out.n == 0 ? "" : out.p, out.n);
    text[out.n] = '\0';
    buf_free(&out);
    return text;
}

static const char *sent(uint64_t *number)
{
    return sent_at("/odata/v2/User", true, 0, number);
}

static void learn_at(uint64_t number, const char *status_and_fields, int64_t now)
{
    static char text[8192];

    (void)snprintf(text, sizeof(text), "HTTP/1.1 %s\r\n", status_and_fields);
    struct head *h = read_response(text);
    sessions_learn(all, &mine, number, SLICE("/odata/v2/User"), h, now, NOW_S);
    head_free(h);
}

static void learn(uint64_t number, const char *status_and_fields)
{
    learn_at(number, status_and_fields, 0);
}

#define LOGIN                                                                                      \
    "200 OK\r\nSet-Cookie: JSESSIONID=a.b; Path=/; Secure; HttpOnly\r\n"                           \
    "Set-Cookie: BIGipServerP_X=1.2.3; path=/\r\nSet-Cookie: other=1; Path=/\r\n"                  \
    "X-CSRF-Token: t1\r\n"
#define FIELDS "Cookie: JSESSIONID=a.b; BIGipServerP_X=1.2.3\r\nX-CSRF-Token: t1\r\n"

TEST(what_an_answer_sets_is_sent)
{
    uint64_t n;

    begin();
    CHECK_TEXT(sent(&n), "", "nothing is known");
    CHECK_INT(n, 0, "no session");
    learn(0, LOGIN);
    CHECK_TEXT(sent(&n), FIELDS, "all of it");
    CHECK(n > 0);
    CHECK_TEXT(sent_at("/odata/v2/User", false, 0, &n),
               "Cookie: JSESSIONID=a.b; BIGipServerP_X=1.2.3\r\n", "the caller has a token");
    sessions_free(all);
}

static const struct {
    const char *name, *answer, *want;
} changes[] = {
    {"another token", "200 OK\r\nX-CSRF-Token: t2\r\n",
     "Cookie: JSESSIONID=a.b; BIGipServerP_X=1.2.3\r\nX-CSRF-Token: t2\r\n"},
    {"a token that is none", "200 OK\r\nX-CSRF-Token: Required\r\n", FIELDS},
    {"another node", "200 OK\r\nSet-Cookie: BIGipServerP_X=9; path=/\r\n",
     "Cookie: JSESSIONID=a.b; BIGipServerP_X=9\r\nX-CSRF-Token: t1\r\n"},
    {"another session", "200 OK\r\nSet-Cookie: JSESSIONID=c; Path=/\r\n",
     "Cookie: BIGipServerP_X=1.2.3; JSESSIONID=c\r\n"},
    {"the session ends", "200 OK\r\nSet-Cookie: JSESSIONID=; Path=/\r\n", ""},
    {"it ends by its age", "200 OK\r\nSet-Cookie: JSESSIONID=x; Max-Age=0; Path=/\r\n", ""},
    {"it ends by its date",
     "200 OK\r\nSet-Cookie: JSESSIONID=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/\r\n", ""},
    {"not known", "401 Unauthorized\r\n", ""},
    {"not allowed", "403 Forbidden\r\n", ""},
    {"a refusal", "400 Bad Request\r\nSet-Cookie: BIGipServerP_X=9; path=/\r\n", FIELDS},
    {"an error", "500 Error\r\nSet-Cookie: JSESSIONID=x; Path=/\r\n", FIELDS},
};

TEST(what_answers_change)
{
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        uint64_t n;
        begin();
        learn(0, LOGIN);
        (void)sent(&n);
        learn(n + 1, changes[i].answer);
        CHECK_TEXT(sent(&n), FIELDS, "it was another session's answer");
        learn(n, changes[i].answer);
        CHECK_TEXT(sent(&n), changes[i].want, changes[i].name);
        sessions_free(all);
    }
}

TEST(of_two_logins_at_the_same_time_the_first_counts)
{
    uint64_t n;

    begin();
    learn(0, LOGIN);
    learn(0, "200 OK\r\nSet-Cookie: JSESSIONID=second; Path=/\r\nX-CSRF-Token: t2\r\n");
    learn(0, "401 Unauthorized\r\n");
    CHECK_TEXT(sent(&n), FIELDS, "the first");
    sessions_free(all);
}

TEST(session_is_sent_only_below_its_path)
{
    uint64_t n, m;

    begin();
    learn(0, "200 OK\r\nSet-Cookie: JSESSIONID=a\r\n");
    CHECK_TEXT(sent(&n), "Cookie: JSESSIONID=a\r\n", "by default, the folder");
    CHECK_TEXT(sent_at("/odata/v2", true, 0, &m), "Cookie: JSESSIONID=a\r\n", "the folder itself");
    CHECK_TEXT(sent_at("/odata/v22/x", true, 0, &m), "", "another one");
    CHECK_INT(m, n, "and yet it is the session's");
    learn(m, "200 OK\r\nSet-Cookie: JSESSIONID=b; Path=/sfapi\r\n");
    CHECK_TEXT(sent_at("/sfapi/x", true, 0, &m), "Cookie: JSESSIONID=b\r\n", "beside it");
    CHECK_TEXT(sent(&n), "Cookie: JSESSIONID=a\r\n", "still there");
    sessions_free(all);
}

TEST(sessions_end_when_nobody_uses_them)
{
    uint64_t n;

    begin();
    learn(0, LOGIN);
    CHECK_TEXT(sent_at("/", true, SESSION_IDLE_US - 1, &n), FIELDS, "used in time");
    CHECK_TEXT(sent_at("/", true, 2 * SESSION_IDLE_US - 2, &n), FIELDS, "and again");
    CHECK_TEXT(sent_at("/", true, 3 * SESSION_IDLE_US - 2, &n), "", "not used in time");
    CHECK_INT(sessions_count(all), 0, "gone");
    learn_at(0, LOGIN, 4 * SESSION_IDLE_US);
    sessions_clear(all);
    CHECK_TEXT(sent_at("/", true, 4 * SESSION_IDLE_US, &n), "", "cleared");
    sessions_free(all);
}

TEST(of_too_many_the_one_used_least_lately_goes)
{
    const struct session_key *first;
    struct session_key keys[2];
    uint64_t n;

    begin();
    first = &keys[0];
    keys[0] = mine;
    learn(0, LOGIN);
    for (int i = 0; i < 2 * SESSIONS_MAX; i++) {
        const struct slice part = {(const char *)&i, sizeof(i)};
        sessions_make_key(all, &part, 1, &mine);
        learn_at(0, LOGIN, i);
        mine = *first;
        if (i < SESSIONS_MAX / 2)
            CHECK_TEXT(sent_at("/", true, i, &n), FIELDS, "it is used");
    }
    CHECK_INT(sessions_count(all), SESSIONS_MAX, "no more");
    CHECK_TEXT(sent_at("/", true, 0, &n), "", "it was not used for long");
    sessions_free(all);
}

TEST(what_is_too_long_is_not_kept)
{
    char answer[8192], value[4096];
    uint64_t n;

    begin();
    memset(value, 'x', sizeof(value) - 1);
    value[SESSION_PAIR_MAX] = '\0';
    (void)snprintf(answer, sizeof(answer), "200 OK\r\nSet-Cookie: JSESSIONID=%s; Path=/\r\n",
                   value);
    learn(0, answer);
    CHECK_TEXT(sent(&n), "", "the cookie");
    (void)snprintf(answer, sizeof(answer), "%sX-CSRF-Token: %s\r\n", LOGIN, value);
    learn(0, answer);
    CHECK_TEXT(sent(&n), FIELDS, "the token");
    for (int i = 0; i < 2 * SESSION_COOKIES; i++) {
        (void)snprintf(answer, sizeof(answer), "200 OK\r\nSet-Cookie: BIGip%d=1; Path=/\r\n", i);
        learn(n, answer);
    }
    CHECK(strlen(sent(&n)) < 200);
    sessions_free(all);
}
