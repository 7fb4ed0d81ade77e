#include "base/clock.h"
#include "core/cookies.h"
#include "core/exchange_parts.h"
#include "http/edit.h"

enum {
    MAX_INTERIM = 100,
    PORTION = 256 * 1024, /* of a body that may grow on its way; as much as a turn may bring in */
};

/* ---- the head ---- */

/* Keep-Alive: timeout=N (RFC 2068, 19.7.1; still sent by most): close before the server does. */
static int64_t idle_time(const struct exchange *x, const struct head *h)
{
    int64_t ms = x->worker->config->pool_idle;
    struct head_list at = {0};
    struct slice member;
    uint64_t seconds;

    while (head_next_member(h, FIELD_KEEP_ALIVE, &at, &member)) {
        struct slice name = slice_trim(slice_split(&member, '='));
        if (!slice_eq_nocase(name, SLICE("timeout")) ||
            !slice_to_u64(slice_trim(member), 86400, &seconds))
            continue;
        int64_t told = (int64_t)seconds * 1000 - 500;
        if (told < ms)
            ms = told;
    }
    return ms;
}

/* A response after which two readers could disagree where the next one begins. */
static bool is_odd(const struct head *h)
{
    return h->status == 204 && (h->chunked || h->content_length > 0);
}

static enum framing outgoing(const struct exchange *x, enum framing in)
{
    if (in != FRAMING_CHUNKED && in != FRAMING_CLOSE)
        return in;
    return x->minor == 0 ? FRAMING_CLOSE : FRAMING_CHUNKED;
}

static void write_field(const void *ctx, const struct field *f, struct buf *out)
{
    const struct exchange *x = ctx;

    links_write_field(x->tenant, buf_slice(&x->base), f, out);
}

void exchange_drop_digests(struct edit_trailer_rules *rules)
{
    static const char *const names[] = {"Content-MD5", "Digest", "Content-Digest", "Repr-Digest"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        edit_trailer_rules_drop(rules, names[i]);
}

static struct edit_response_rules link_fields(const struct exchange *x)
{
    if (x->base.n == 0)
        return (struct edit_response_rules){0};
    return (struct edit_response_rules){.rewrite = LINKS_FIELDS, .write = write_field, .ctx = x};
}

/* What is rewritten has neither the length nor the digests that it had; nor can a part of it be
 * asked for. Of an answer without a body (HEAD, 304) the same is told. */
static struct edit_response_rules field_rules(struct exchange *x, const struct head *h,
                                              enum framing in)
{
    struct edit_response_rules rules = link_fields(x);

    if (x->base.n == 0 || !links_are_in(h))
        return rules;
    rules.drop = field_bit(FIELD_BODY_DIGEST) | field_bit(FIELD_ACCEPT_RANGES) |
                 field_bit(FIELD_CONTENT_ENCODING);
    if (in != FRAMING_NONE || framing_is_bodiless(h->status, x->method))
        rules.drop |= field_bit(FIELD_CONTENT_LENGTH); /* else it is 0, and so it stays */
    if (in != FRAMING_NONE)
        x->answer_links = link_filter_for_answer(x->tenant, buf_slice(&x->base), h);
    return rules;
}

static void remember_cookies(const struct exchange *x, const struct head *h)
{
    const struct field *f;
    size_t at = 0;

    while ((f = head_next(h, FIELD_SET_COOKIE, &at)) != NULL)
        cookies_remember(x->worker->shared->cookies, x->tenant, f->value);
}

/* Adds the head to what is sent, in the worker's room for it. */
static void begin_answer(struct exchange *x, const struct head *h, struct gather *g)
{
    struct buf *room = &x->worker->scratch;
    enum framing in = framing_of_response(h, x->method);
    struct edit_response_rules rules = field_rules(x, h, in);
    enum framing out = outgoing(x, x->answer_links != NULL ? FRAMING_CHUNKED : in);
    enum persistence p = client_decide(x->client, x->request_done && out != FRAMING_CLOSE);

    if (head_has(h, FIELD_SET_COOKIE))
        remember_cookies(x, h);
    x->status = h->status;
    x->head_passed = true;
    x->upstream_persists = h->minor == 1 && in != FRAMING_CLOSE && !is_odd(h) &&
                           !head_connection_has(h, SLICE("close"));
    x->idle_ms = idle_time(x, h);
    body_start(&x->answer, in, out, h->content_length, &x->worker->body_limits);
    x->answer.is_answer = true;
    if (x->answer_links != NULL)
        x->answer.filter = link_filter_run(x->answer_links);
    if (out == FRAMING_CHUNKED) {
        edit_trailer_rules_start(&x->answer_trailers, h, NULL, 0);
        x->answer.drops_trailer = edit_drops_trailer;
        x->answer.drops_ctx = &x->answer_trailers;
        if (x->answer_links != NULL)
            exchange_drop_digests(&x->answer_trailers);
    }
    rules.drop |= exchange_page_drops_answer(x);
    rules.fields = exchange_page_fields(x);
    room->n = 0;
    edit_response(room, h, out, p, &rules);
    gather_add(g, room->p, room->n);
}

/* RFC 9110, 15.2. False: the exchange has failed. */
static bool pass_interim(struct exchange *x, const struct head *h)
{
    struct edit_response_rules rules = link_fields(x);
    struct buf *room = &x->worker->scratch;

    if (h->status == 101) {
        exchange_fail_plain(x, FAIL_ANSWER_UPGRADE);
        return false;
    }
    if (++x->interim > MAX_INTERIM) {
        exchange_fail_plain(x, FAIL_ANSWER_MALFORMED);
        return false;
    }
    if (h->status == 100)
        x->expects = false; /* exchange_on_server_data() gives the caller its time */
    if (x->minor == 0)
        return true;
    remember_cookies(x, h);
    room->n = 0;
    edit_response(room, h, FRAMING_NONE, PERSIST_DEFAULT, &rules);
    (void)stream_write_bytes(client_stream(x->client), room->p, room->n);
    return true;
}

/* Reads heads until the final one; false if it has not come, or has failed. */
static bool read_head(struct exchange *x, struct slice *in, struct gather *g)
{
    const struct worker *w = x->worker;
    struct failure why;

    while (in->n > 0) {
        size_t used = 0;
        switch (h1_read_response(&x->reader, &w->limits, *in, w->response_head, &used, &why)) {
        case H1_MORE:
            return false;
        case H1_REFUSED:
            exchange_fail(x, &why);
            return false;
        default:
            break;
        }
        struct slice rest = {in->p + used, in->n - used};
        x->reader = (struct h1_reader){0};
        if (w->response_head->status >= 200 &&
            (exchange_judge_answer(x, w->response_head, rest) != JUDGE_PASS ||
             exchange_judge_part(x, w->response_head) != JUDGE_PASS))
            return false; /* if it waits, all of it is shown again */
        *in = rest;
        if (w->response_head->status >= 200) {
            begin_answer(x, w->response_head, g);
            return true;
        }
        if (!pass_interim(x, w->response_head))
            return false;
    }
    return false;
}

/* ---- the body ---- */

static void send_pieces(struct exchange *x, const struct gather *g)
{
    if (g->count == 0 || stream_write(client_stream(x->client), g->pieces, g->count))
        return;
    x->download_blocked = true;
    stream_pause(upstream_stream(x->upstream));
    stream_read_less(upstream_stream(x->upstream));
}

/* What a filter makes of a read's worth of input has no bounds: no more of it is made while the
 * caller takes none, and others get their turn in between. */
static bool has_to_stop(const struct exchange *x, size_t passed)
{
    return x->answer_links != NULL && (x->download_blocked || passed >= PORTION);
}

/* The rest of the input stays with the server's stream, until the caller has taken what is queued
 * or the next turn comes. */
static void hold_answer(struct exchange *x, struct slice *in)
{
    body_put_back(&x->answer, in);
    x->answer_held = true;
    stream_pause(upstream_stream(x->upstream));
    if (!x->download_blocked)
        task_defer(x->worker->loop, &x->go_on);
}

static void pass_body(struct exchange *x, struct slice *in, struct gather *g)
{
    enum body_result result;
    size_t passed = 0;

    do {
        result = body_next(&x->answer, in, g);
        passed += g->bytes;
        send_pieces(x, g);
        g->count = g->bytes = 0;
    } while (result == BODY_FULL && !has_to_stop(x, passed));
    if (result == BODY_END) {
        exchange_finish(x, in->n == 0);
    } else if (result == BODY_BAD) {
        exchange_fail_plain(x, FAIL_ANSWER_MALFORMED);
    } else {
        if (result == BODY_FULL)
            hold_answer(x, in);
        exchange_await(x);
    }
}

/* First what needs no more input. */
void exchange_go_on_with_answer(void *ctx)
{
    struct exchange *x = ctx;
    struct gather g;

    g.count = g.bytes = 0;
    x->answer_held = false;
    pass_body(x, &SLICE(""), &g);
    if (!x->over && !x->answer_held && !x->download_blocked)
        stream_resume(upstream_stream(x->upstream));
}

/* ---- what the server does ---- */

size_t exchange_on_server_data(void *ctx, const char *p, size_t n)
{
    struct exchange *x = ctx;
    struct slice in = {p, n};
    struct gather g;

    g.count = g.bytes = 0;
    if (!x->answer_begun) {
        x->answer_begun = true;
        x->first_us = clock_monotonic_us();
    }
    if (x->head_passed || read_head(x, &in, &g))
        pass_body(x, &in, &g);
    else if (!x->over && timer_runs(&x->answer_timer))
        exchange_await(x); /* it is slow, but it answers */
    return x->over ? n : n - in.n;
}

static void truncated(struct exchange *x, const struct failure *why)
{
    struct failure f;

    if (!x->head_passed) {
        exchange_lost_upstream(x, why);
        return;
    }
    failure_set(&f, FAIL_ANSWER_TRUNCATED, "The answer of %s ended before it was complete: %s",
                x->tenant->peer, why->detail.text);
    exchange_fail(x, &f);
}

/* Closed in order (close_notify): that ends a body which has no other end. */
void exchange_on_server_end(void *ctx)
{
    struct exchange *x = ctx;
    struct failure why;
    struct gather g;

    g.count = g.bytes = 0;
    if (x->head_passed && body_ends_here(&x->answer)) {
        x->upstream_persists = false;
        if (!x->answer_held)
            pass_body(x, &SLICE(""), &g);
        return;
    }
    failure_set(&why, FAIL_UPSTREAM_CLOSED, "%s closed the connection before it %s.",
                x->tenant->peer, x->answer_begun ? "had answered completely" : "answered");
    truncated(x, &why);
}

void exchange_on_server_broken(void *ctx, const struct failure *why)
{
    struct exchange *x = ctx;
    struct failure lost;

    if (x->head_passed && body_is_here(&x->answer)) { /* held, and whole */
        x->upstream_persists = false;
        return;
    }
    if (why->id == FAIL_SERVER_VANISHED) {
        exchange_lost_upstream(x, why); /* which repeats nothing that has an answer */
        return;
    }
    if (why->id != FAIL_UPSTREAM_CLOSED && !x->head_passed) {
        if (why->id != FAIL_CERTIFICATE_REFUSED || !exchange_refused(x))
            exchange_fail(x, why); /* TLS says no: repeating would not help */
        return;
    }
    failure_set(&lost, FAIL_UPSTREAM_CLOSED, "%s closed the connection before it answered (%s)",
                x->tenant->peer, why->detail.text);
    truncated(x, x->head_passed ? why : &lost);
}

/* The caller has taken what was queued. */
void exchange_on_caller_drained(void *ctx)
{
    struct exchange *x = ctx;

    if (!x->download_blocked)
        return;
    x->download_blocked = false;
    if (x->answer_held) {
        exchange_go_on_with_answer(x);
        return;
    }
    exchange_await(x);
    stream_resume(upstream_stream(x->upstream));
}
