#include <stdio.h>

#include "exchange/inner.h"
#include "head_reader.h"
#include "upstream/manners.h"

/* An exchange as far as throttle.c needs it. Whoever waits at a gate is known by its client, which
 * only tests/integration has. */
static struct exchange x;
static struct tenant tenant;

static void begin(const char *request)
{
    memset(&x, 0, sizeof(x));
    tenant = (struct tenant){.name = "acme", .peer = "server", .respect_retry_after = true};
    x.tenant = &tenant;
    x.manners = manners_new(&tenant, NULL, NULL);
    buf_add_string(&x.request.head, request);
}

static void end(void)
{
    buf_free(&x.request.head);
    manners_free(x.manners);
}

/* For how much longer requests for that path are held, in microseconds; 0: they are not. */
static int64_t held_us(const char *path)
{
    struct gate_view v = {0};
    struct gate *g = manners_find(x.manners, &tenant, slice_of(path));

    if (g != NULL)
        gate_look(g, &v);
    gate_unref(g);
    return v.held_us;
}

static void heed(int status, const char *fields)
{
    char text[256];

    (void)snprintf(text, sizeof(text), "HTTP/1.1 %d x\r\n%s\r\n", status, fields);
    struct head *h = read_response(text);
    exchange_heed(&x, h);
    head_free(h);
}

static const struct {
    const char *request, *want;
} paths[] = {
    {"GET /odata/v2/User?$top=1 HTTP/1.1\r\n", "/odata/v2/User"},
    {"GET /odata/v2/User HTTP/1.1\r\n", "/odata/v2/User"},
    {"OPTIONS * HTTP/1.1\r\n", "*"},
    {"", ""},
};

TEST(the_path_is_that_of_the_edited_head)
{
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        begin(paths[i].request);
        CHECK_SLICE(exchange_path(&x), paths[i].want, paths[i].request);
        end();
    }
}

#define DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

static const struct {
    const char *name;
    int status;
    const char *fields;
    int seconds; /* for which requests are held */
} answers[] = {
    {"says nothing", 503, DATE, 0},
    {"seconds", 429, "Retry-After: 600\r\n", 600},
    {"another spelling", 503, "retry-after: 600\r\n", 600},
    {"a date, by the server's clock", 503, DATE "Retry-After: Sun, 06 Nov 1994 08:54:37 GMT\r\n",
     300},
    {"a date that is over", 503, DATE "Retry-After: Sun, 06 Nov 1994 08:40:37 GMT\r\n", 0},
    {"cannot be read", 503, "Retry-After: soon\r\n", 0},
    {"at most", 503, "Retry-After: 100000\r\n", MANNERS_WAIT_MAX_S},
    {"the first one counts", 503, "Retry-After: 600\r\nRetry-After: 300\r\n", 600},
};

TEST(what_retry_after_asks_for)
{
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        int64_t want = answers[i].seconds * INT64_C(1000000);
        begin("GET /odata/v2/User?x HTTP/1.1\r\n");
        heed(answers[i].status, answers[i].fields);
        int64_t got = held_us("/odata/v2/User");
        CHECK_MSG(want == 0 ? got == 0 : got > want - 120 * 1000000 && got <= want, "%s: %lld",
                  answers[i].name, (long long)got);
        CHECK_INT(held_us("/odata/v4/User"), 0, answers[i].name);
        end();
    }
}

TEST(an_answer_is_heeded_once)
{
    begin("GET /odata/v2/User HTTP/1.1\r\n");
    heed(503, "Retry-After: 300\r\n");
    heed(503, "Retry-After: 800\r\n");
    CHECK(held_us("/odata/v2/User") <= 300 * INT64_C(1000000));
    end();
}

TEST(retry_after_is_not_respected_where_that_is_off)
{
    begin("GET /odata/v2/User HTTP/1.1\r\n");
    tenant.respect_retry_after = false;
    heed(429, "Retry-After: 300\r\n");
    CHECK_INT(held_us("/odata/v2/User"), 0, "");
    end();
}

TEST(a_request_that_no_gate_concerns_takes_a_connection)
{
    begin("GET /odata/v2/User HTTP/1.1\r\n");
    CHECK_INT(exchange_enter_gate(&x, NULL).step, STEP_CONNECT, "");
    heed(503, "Retry-After: 300\r\n");
    x.request.head.n = 0;
    buf_add_string(&x.request.head, "GET /odata/v4/User HTTP/1.1\r\n");
    CHECK_INT(exchange_enter_gate(&x, NULL).step, STEP_CONNECT, "another path");
    CHECK(x.crossing.gate == NULL);
    end();
}
