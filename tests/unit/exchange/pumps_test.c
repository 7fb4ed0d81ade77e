#include <stdlib.h>

#include "base/mem.h"
#include "exchange/answer_pump.h"
#include "exchange/request_pump.h"
#include "head_reader.h"
#include "test.h"

static const struct body_limits limits = {4096, 20};

static void add_all(struct buf *out, const struct gather *g)
{
    for (size_t i = 0; i < g->count; i++)
        buf_add(out, g->pieces[i].iov_base, g->pieces[i].iov_len);
}

/* ---- requests ---- */

static void start(struct request_pump *p, const char *head, struct quota *quota)
{
    struct head *h = read_request(head);

    *p = (struct request_pump){0};
    request_pump_start(p, h, &limits, quota);
    buf_add_string(&p->head, "HEAD ");
    head_free(h);
}

/* Sends bytes from *at on, in portions whose memory does not last; stops at `stop` or the end. */
static enum body_result send_on(struct request_pump *p, struct slice bytes, size_t *at, size_t step,
                                size_t stop, struct buf *out)
{
    enum body_result result = BODY_MORE;

    while (result == BODY_MORE && (*at < stop || !p->head_sent)) {
        size_t n = stop - *at < step ? stop - *at : step;
        char *copy = mem_copy_bytes(bytes.p + *at, n);
        struct slice portion = {copy, n};
        do {
            struct gather g = {0};
            result = request_pump_next(p, &portion, &g);
            add_all(out, &g);
        } while (result == BODY_FULL);
        *at += n - portion.n;
        free(copy);
    }
    return result;
}

static const struct {
    const char *head, *body;
    bool may_repeat;
} requests[] = {
    {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "", true},
    {"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n", "0123456789", true},
    {"DELETE / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n", "0", true},
    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n", "0123456789", false},
    {"PUT / HTTP/1.1\r\nHost: x\r\nX-HTTP-Method-Override: POST\r\nContent-Length: 2\r\n\r\n", "01",
     false},
};

TEST(request_goes_out_whole_however_it_comes_in)
{
    for (size_t i = 0; i < ARRAY_LEN(requests); i++)
        for (size_t step = 1; step <= 11; step++) {
            struct request_pump p;
            struct quota quota;
            struct buf out = {0};
            size_t at = 0;
            quota_init(&quota, 100);
            start(&p, requests[i].head, &quota);
            struct slice body = slice_of(requests[i].body);
            CHECK_INT(send_on(&p, body, &at, step, body.n, &out), BODY_END, requests[i].head);
            CHECK(request_pump_is_read(&p));
            CHECK_INT(out.n, 5 + body.n, requests[i].head);
            CHECK(memcmp(out.p + 5, body.p, body.n) == 0);
            buf_free(&out);
            request_pump_free(&p);
            buf_free(&p.head);
        }
}

/* The connection is lost after each number of bytes: the second one gets all of it, or nothing. */
TEST(request_is_sent_again_from_every_point)
{
    for (size_t i = 0; i < ARRAY_LEN(requests); i++)
        for (size_t lost = 0; lost <= strlen(requests[i].body); lost++) {
            struct request_pump p;
            struct quota quota;
            struct buf out = {0};
            struct slice body = slice_of(requests[i].body);
            size_t at = 0;
            quota_init(&quota, 100);
            start(&p, requests[i].head, &quota);
            CHECK(request_pump_may_rewind(&p));
            (void)send_on(&p, body, &at, 3, lost, &out);
            CHECK_INT(request_pump_may_rewind(&p), requests[i].may_repeat, requests[i].head);
            if (requests[i].may_repeat) {
                request_pump_rewind(&p);
                out.n = 0;
                CHECK_INT(send_on(&p, body, &at, 3, body.n, &out), BODY_END, requests[i].head);
                CHECK_INT(out.n, 5 + body.n, requests[i].head);
                CHECK(memcmp(out.p + 5, body.p, body.n) == 0);
            }
            buf_free(&out);
            request_pump_free(&p);
            buf_free(&p.head);
        }
}

TEST(request_that_is_too_large_is_not_held)
{
    static const struct {
        size_t size;
        bool held;
    } cases[] = {{REQUEST_HELD_MAX, true}, {REQUEST_HELD_MAX + 1, false}};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct request_pump p;
        struct quota quota;
        struct buf out = {0};
        char head[100], *body = mem_new(cases[i].size);
        size_t at = 0;
        quota_init(&quota, 100);
        (void)snprintf(head, sizeof(head),
                       "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", cases[i].size);
        start(&p, head, &quota);
        struct slice all = {body, cases[i].size};
        CHECK_INT(send_on(&p, all, &at, 10000, all.n, &out), BODY_END, head);
        CHECK_INT(request_pump_may_rewind(&p), cases[i].held, head);
        CHECK_INT(p.held.n, cases[i].held ? cases[i].size : 0, head);
        buf_free(&out);
        request_pump_free(&p);
        buf_free(&p.head);
        free(body);
    }
}

/* ---- answers ---- */

static const struct {
    const char *bytes; /* what the server sends */
    int interims, status;
    const char *want; /* the body, as it goes out in framing out */
    enum framing out;
    size_t rest; /* behind the answer */
} answers[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 0, 200, "hello", FRAMING_LENGTH, 0},
    {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP", 0, 200, "", FRAMING_LENGTH, 4},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n"
     "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nokX",
     2, 201, "ok", FRAMING_LENGTH, 1},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nA: "
     "b\r\n\r\n!!",
     0, 200, "abcde", FRAMING_CLOSE, 2},
    {"HTTP/1.1 204 No Content\r\n\r\nHT", 0, 204, "", FRAMING_NONE, 2},
};

/* One answer in two reads, cut anywhere: as a stream shows it, what was not used comes again. */
static void check_split(size_t row, size_t cut)
{
    struct answer_pump p = {0};
    struct head *h = head_new(20);
    struct slice all = slice_of(answers[row].bytes);
    struct buf out = {0};
    enum body_result result = BODY_MORE;
    size_t at = 0;
    int interims = 0, status = 0;

    for (size_t end = cut; result != BODY_END; end = all.n) {
        char *copy = mem_copy_bytes(all.p + at, end - at);
        struct slice in = {copy, end - at}, rest;
        struct failure why;
        while (status == 0 && in.n > 0 &&
               answer_pump_head(&p, &test_limits, in, h, &rest, &why) == H1_DONE) {
            in = rest;
            if (h->status < 200) {
                interims++;
                continue;
            }
            status = h->status;
            answer_pump_start(&p, h, framing_of_response(h, METHOD_GET), answers[row].out, NULL,
                              &limits);
        }
        while (status != 0 && result != BODY_END) {
            struct gather g = {0};
            result = answer_pump_next(&p, &in, &g);
            add_all(&out, &g);
            if (result == BODY_MORE)
                break;
        }
        CHECK_MSG(result == BODY_END || end < all.n, "answer %zu, cut at %zu: no end", row, cut);
        at = end - in.n;
        free(copy);
    }
    CHECK_INT(status, answers[row].status, answers[row].bytes);
    CHECK_INT(interims, answers[row].interims, answers[row].bytes);
    CHECK_SLICE(buf_slice(&out), answers[row].want, answers[row].bytes);
    CHECK_INT(all.n - at >= answers[row].rest, true, answers[row].bytes);
    answer_pump_free(&p);
    buf_free(&out);
    head_free(h);
}

TEST(answer_is_the_same_wherever_it_is_cut)
{
    for (size_t i = 0; i < ARRAY_LEN(answers); i++)
        for (size_t cut = 0; cut <= strlen(answers[i].bytes); cut++)
            check_split(i, cut);
}
