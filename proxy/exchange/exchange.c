#include "exchange/exchange.h"

#include <assert.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "caller/checker.h"
#include "caller/connect.h"
#include "exchange/inner.h"
#include "exchange/tunnel.h"
#include "upstream/upstream.h"

/* How long to wait for an answer after the server has stopped reading the request. */
enum { LAST_WORDS_MS = 2000 };

/* ---- the connection ---- */

static void attach(struct exchange *x, struct upstream *u);
static void on_acquired(void *ctx, struct upstream *u, const struct failure *why);
static void on_gate_open(void *ctx, const struct failure *why);

static struct decision acquire(struct exchange *x, enum acquire_kind kind)
{
    struct upstream *u = NULL;
    struct failure why;

    x->acquire.done = on_acquired;
    x->acquire.ctx = x;
    switch (origin_acquire(x->origin, &x->acquire, kind, &u, &why)) {
    case ACQUIRED:
        attach(x, u);
        return DECIDE(STEP_SEND);
    case ACQUIRE_REFUSED:
        return exchange_fails(x, &why);
    default:
        LOG_TRACE("exchange %s waits for a connection to %s", x->id, x->tenant->name);
        return DECIDE(STEP_WAIT);
    }
}

static struct decision take_connection(struct exchange *x, enum acquire_kind kind)
{
    exchange_set_state(x, EXCHANGE_ACQUIRE);
    x->upload = UPLOAD_HELD;
    timer_stop(&x->caller_timer);
    if (!x->crossing.open) {
        x->acquire.kind = kind;
        struct decision d = exchange_enter_gate(x, on_gate_open);
        if (d.step != STEP_CONNECT)
            return d;
    }
    return acquire(x, kind);
}

static struct decision repeat(struct exchange *x, enum acquire_kind kind, const char *reason)
{
    LOG_TRACE("exchange %s is repeated", x->id);
    request_pump_rewind(&x->request);
    answer_pump_rewind(&x->answer);
    timer_stop(&x->answer_timer);
    timer_stop(&x->look_timer);
    x->looked_long = false;
    exchange_drop_upstream(x, reason);
    if (x->crossing.sent_us != 0)
        crossing_end(&x->crossing); /* a repeated request counts again */
    x->heeded = false;
    x->download = DOWNLOAD_NONE;
    x->first_us = 0;
    x->reused = false;
    x->tls = NULL;
    return take_connection(x, kind);
}

/* ---- what is done next ---- */

static struct decision perform(struct exchange *x, struct decision d, struct slice *in)
{
    switch (d.step) {
    case STEP_COLLECT:
        return exchange_collect(x, in);
    case STEP_CONNECT:
        return take_connection(x, d.kind);
    case STEP_SEND:
        if (x->reuses_session && !x->request.head_sent)
            exchange_add_session(x);
        if (x->crossing.gate != NULL && !x->request.head_sent)
            crossing_note_sent(&x->crossing);
        return exchange_send(x, in);
    case STEP_RELAY: /* continues where no new input is needed */
        return exchange_relay(x, &SLICE(""));
    case STEP_REPEAT:
        return repeat(x, d.kind, d.closing);
    case STEP_FINISH:
        exchange_finish(x, d.closing);
        return DECIDE(STEP_WAIT);
    case STEP_FAIL:
        exchange_fail(x);
        return DECIDE(STEP_WAIT);
    default: /* WAIT and NONE are not performed */
        assert(false);
        return DECIDE(STEP_WAIT);
    }
}

/* Every event ends here, and nothing touches the exchange afterwards. in: the bytes of the request
 * that are at hand; moved past the bytes used. */
static void advance_with(struct exchange *x, struct decision d, struct slice *in)
{
    while (d.step != STEP_WAIT)
        d = perform(x, d, in);
}

/* Like advance_with(), without new bytes of the request: they stay in the caller's stream. */
static void advance(struct exchange *x, struct decision d)
{
    advance_with(x, d, &SLICE(""));
}

/* ---- events: the caller ---- */

static size_t on_caller_data(void *ctx, struct slice bytes)
{
    struct exchange *x = ctx;
    struct slice rest = bytes;

    if (x->upload != UPLOAD_FLOWING) {
        exchange_hold_caller(x); /* its bytes are needed later, or never */
        return 0;
    }
    advance_with(x, DECIDE(x->state == EXCHANGE_COLLECT ? STEP_COLLECT : STEP_SEND), &rest);
    return bytes.n - rest.n;
}

/* The caller has taken what was queued. */
static void on_caller_drained(void *ctx)
{
    struct exchange *x = ctx;

    if (x->download != DOWNLOAD_BLOCKED)
        return;
    stream_resume(upstream_stream(x->upstream));
    advance(x, DECIDE(STEP_RELAY));
}

/* Some callers shut down their sending side after the request. They get their answer, unless the
 * request is incomplete and therefore can never be completed. */
static void on_caller_end(void *ctx)
{
    struct exchange *x = ctx;

    if (!request_pump_is_read(&x->request))
        client_kill(x->client); /* which calls on_caller_gone() */
}

static void on_caller_gone(void *ctx)
{
    struct exchange *x = ctx;
    struct failure why;

    failure_plain(&why, x->all->clients->ended ? FAIL_SHUTDOWN : FAIL_CALLER_GONE);
    exchange_abandon(x, &why);
}

static void on_caller_timeout(void *ctx)
{
    struct exchange *x = ctx;
    struct failure why;

    if (x->download != DOWNLOAD_BLOCKED) {
        failure_set(&why, FAIL_REQUEST_TIMEOUT, "The body of the request did not arrive in time.");
        advance(x, exchange_fails(x, &why));
    } else if (stream_progressed(client_stream(x->client))) {
        exchange_await(x); /* the caller is slow, but it reads */
    } else {
        advance(x, exchange_fails_plain(x, FAIL_CALLER_STALLED));
    }
}

static void on_checked(void *ctx, bool fits)
{
    struct exchange *x = ctx;

    x->check = NULL;
    advance(x, exchange_judge_caller(x, fits));
}

static const struct client_job job = {
    .on_data = on_caller_data,
    .on_drained = on_caller_drained,
    .on_end = on_caller_end,
    .on_gone = on_caller_gone,
};

/* ---- events: the server ---- */

static size_t on_server_data(void *ctx, const char *p, size_t n)
{
    struct exchange *x = ctx;
    struct slice in = {p, n};

    if (x->download == DOWNLOAD_NONE) {
        x->download = DOWNLOAD_FLOWING;
        x->first_us = clock_monotonic_us();
        if (x->crossing.gate != NULL)
            crossing_note_answer(&x->crossing);
    }
    struct decision d = exchange_relay(x, &in);
    if (d.step == STEP_WAIT && x->state == EXCHANGE_SEND && timer_runs(&x->answer_timer))
        exchange_await(x); /* the server is slow, but it answers */
    size_t used = d.step == STEP_WAIT ? n - in.n : n;
    advance(x, d);
    return used;
}

/* The go_on task: relays the rest of the answer that was left for this turn. */
static void on_turn(void *ctx)
{
    struct exchange *x = ctx;

    stream_resume(upstream_stream(x->upstream));
    advance(x, DECIDE(STEP_RELAY));
}

static struct decision truncated(struct exchange *x, const struct failure *why)
{
    struct failure f;

    if (x->state != EXCHANGE_STREAM)
        return exchange_loses_upstream(x, why);
    failure_set(&f, FAIL_ANSWER_TRUNCATED, "The answer of %s ended before it was complete: %s",
                x->tenant->peer, why->detail.text);
    return exchange_fails(x, &f);
}

/* The server closed in order (close_notify), which ends a body that has no other end. */
static void on_server_end(void *ctx)
{
    struct exchange *x = ctx;
    struct failure why;

    if (x->state == EXCHANGE_STREAM && body_ends_here(&x->answer.body)) {
        x->closing = "the server has ended it";
        if (x->download == DOWNLOAD_FLOWING)
            advance(x, DECIDE(STEP_RELAY));
        return;
    }
    failure_set(&why, FAIL_UPSTREAM_CLOSED, "%s closed the connection before it %s.",
                x->tenant->peer,
                x->download == DOWNLOAD_NONE ? "answered" : "had answered completely");
    advance(x, truncated(x, &why));
}

static struct decision judge_break(struct exchange *x, const struct failure *why)
{
    struct decision d = DECIDE(STEP_NONE);
    struct failure lost;

    if (why->id == FAIL_SERVER_VANISHED)
        return exchange_loses_upstream(x, why);
    if (x->state == EXCHANGE_STREAM)
        return truncated(x, why);
    if (why->id == FAIL_UPSTREAM_CLOSED) {
        failure_set(&lost, FAIL_UPSTREAM_CLOSED, "%s closed the connection before it answered (%s)",
                    x->tenant->peer, why->detail.text);
        return truncated(x, &lost);
    }
    if (why->id == FAIL_CERTIFICATE_REFUSED)
        d = exchange_judge_refusal(x);
    if (d.step != STEP_NONE)
        return d;
    lost = *why;
    upstream_explain(x->upstream, &lost);
    return exchange_fails(x, &lost); /* a TLS refusal would only happen again */
}

static void on_server_broken(void *ctx, const struct failure *why)
{
    struct exchange *x = ctx;

    if (x->state == EXCHANGE_STREAM && body_is_here(&x->answer.body))
        x->closing = "it broke after its answer"; /* all of that is here, waiting for the caller */
    else
        advance(x, judge_break(x, why));
}

static void on_server_drained(void *ctx)
{
    struct exchange *x = ctx;

    if (x->upload != UPLOAD_BLOCKED)
        return;
    x->upload = UPLOAD_FLOWING;
    advance(x, DECIDE(STEP_SEND)); /* what is at hand first */
}

/* A server may refuse an upload before its end and close its reading side. Its answer can still be
 * read. */
static void on_server_write_broken(void *ctx)
{
    struct exchange *x = ctx;

    x->upload = UPLOAD_DEAD;
    if (x->state == EXCHANGE_STREAM)
        return;
    exchange_hold_caller(x);
    timer_stop(&x->caller_timer);
    timer_start(x->all->loop, &x->answer_timer, LAST_WORDS_MS);
}

/* The rest of the error's content did not come in time: the head goes on without it. */
static void on_look_timeout(void *ctx)
{
    struct exchange *x = ctx;

    x->looked_long = true;
    stream_pause(upstream_stream(x->upstream));
    stream_resume(upstream_stream(x->upstream)); /* shows the bytes again that were left */
}

static void on_answer_timeout(void *ctx)
{
    struct exchange *x = ctx;
    bool streams = x->state == EXCHANGE_STREAM;
    struct failure why;

    if (x->upload == UPLOAD_BLOCKED && stream_progressed(upstream_stream(x->upstream))) {
        exchange_await(x); /* the server is slow, but it reads */
        return;
    }
    if (x->upload == UPLOAD_DEAD && !streams) {
        failure_plain(&why, FAIL_UPSTREAM_CLOSED);
        advance(x, exchange_loses_upstream(x, &why));
        return;
    }
    failure_set(&why, FAIL_ANSWER_TIMEOUT, "%s did not %s in time.", x->tenant->peer,
                streams ? "send the rest of its answer" : "answer");
    advance(x, exchange_fails(x, &why));
}

static const struct stream_handler server_handler = {
    .on_data = on_server_data,
    .on_end = on_server_end,
    .on_drained = on_server_drained,
    .on_broken = on_server_broken,
    .on_write_broken = on_server_write_broken,
};

static void attach(struct exchange *x, struct upstream *u)
{
    exchange_set_state(x, EXCHANGE_SEND);
    x->upload = UPLOAD_FLOWING;
    x->upstream = u;
    x->identity = upstream_identity(u);
    upstream_use(u, &server_handler, x);
    x->reused = upstream_is_reused(u);
    x->tls = upstream_tls(u);
    if (x->generation->config->server_timing)
        x->attached_us = clock_monotonic_us();
    LOG_TRACE("exchange %s has %s connection %llu to %s", x->id, x->reused ? "kept" : "new",
              upstream_number(u), x->tenant->name);
}

static struct decision judge_no_connection(struct exchange *x, const struct failure *why)
{
    struct decision d = DECIDE(STEP_NONE);

    x->identity = x->acquire.identity;
    if (why->id == FAIL_CERTIFICATE_REFUSED)
        d = exchange_judge_refusal(x);
    return d.step != STEP_NONE ? d : exchange_fails(x, why);
}

static void on_acquired(void *ctx, struct upstream *u, const struct failure *why)
{
    struct exchange *x = ctx;

    if (u == NULL) {
        advance(x, judge_no_connection(x, why));
        return;
    }
    attach(x, u);
    /* If another certificate came into use while this connection was made, the request takes
     * another connection. Nothing was sent on this one. */
    if (!witness_tries(x->witness) && x->identity != overlap_in_use(origin_overlap(x->origin))) {
        LOG_TRACE("exchange %s is to be repeated: the %s of its connection is not in use any more",
                  x->id, identity_title(x->identity));
        advance(x, (struct decision){.step = STEP_REPEAT,
                                     .kind = ACQUIRE_ANY,
                                     .closing = "another certificate is in use now"});
    } else {
        advance(x, DECIDE(STEP_SEND));
    }
}

/* While the request waited, another certificate may have come into use, so the choice is made
 * again. */
static void on_gate_open(void *ctx, const struct failure *why)
{
    struct exchange *x = ctx;

    x->acquire.waited_us = x->crossing.waited_us;
    if (why != NULL)
        advance(x, exchange_fails(x, why));
    else if (x->acquire.kind == ACQUIRE_ANY && x->witness != WITNESS_LAST)
        advance(x, exchange_choose_identity(x));
    else
        advance(x, (struct decision){.step = STEP_CONNECT, .kind = x->acquire.kind});
}

/* ---- the beginning ---- */

static struct exchange *exchange_new(struct client *c, const struct client_request *r)
{
    struct exchanges *all = client_all(c)->services;
    struct exchange *x = exchange_alloc(all);

    x->all = all;
    x->client = c;
    x->generation = generation_ref(x->all->upstreams->generation);
    clients_new_id(x->all->clients, x->id);
    x->begun_us = r->begun_us;
    way_times_clear(&x->acquire.way);
    x->method = r->head->method;
    x->minor = r->head->minor;
    request_pump_start(&x->request, r->head, &x->all->body_limits, &x->all->shared->collected);
    timer_init(&x->answer_timer, on_answer_timeout, x);
    timer_init(&x->caller_timer, on_caller_timeout, x);
    timer_init(&x->look_timer, on_look_timeout, x);
    task_init(&x->go_on, on_turn, x);
    client_set_job(c, &job, x);
    return x;
}

static size_t serve(void *ctx, struct client *c, const struct client_request *r)
{
    struct slice rest = r->rest;

    (void)ctx;
    if (r->head->method == METHOD_CONNECT && client_inside(c) == NULL) {
        const struct endpoint *to = connect_serve(c, r);
        if (to != NULL)
            tunnel_start(c, r, to);
        return 0;
    }
    struct exchange *x = exchange_new(c, r);
    struct decision d = exchange_judge(x, r, on_checked);
    if (x->check != NULL)
        exchange_set_state(x, EXCHANGE_ADMIT);
    advance_with(x, d, &rest);
    return r->rest.n - rest.n;
}

const struct client_service exchange_service = {serve};
