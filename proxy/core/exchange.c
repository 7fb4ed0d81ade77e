#include "core/exchange.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "core/checker.h"
#include "core/exchange_parts.h"
#include "core/connect.h"
#include "core/guard.h"
#include "core/route.h"
#include "http/mask.h"
#include "http/reply.h"

static const struct stream_handler server_handler = {
    .on_data = exchange_on_server_data,
    .on_end = exchange_on_server_end,
    .on_drained = exchange_on_server_drained,
    .on_broken = exchange_on_server_broken,
    .on_write_broken = exchange_on_server_write_broken,
};

/* ---- time ---- */

/* The server has to do something; else it is the caller who holds things up. */
static bool is_servers_turn(const struct exchange *x)
{
    if (x->download_blocked)
        return false;
    return x->request_done || x->upload_blocked || x->upload_dead ||
           (x->expects && x->request.bytes == 0);
}

void exchange_await(struct exchange *x)
{
    const struct config *c = x->worker->config;
    bool server = is_servers_turn(x);

    timer_stop(server ? &x->caller_timer : &x->answer_timer);
    timer_start(x->worker->loop, server ? &x->answer_timer : &x->caller_timer,
                server ? c->answer_timeout : c->body_timeout);
}

static void on_answer_timeout(void *ctx)
{
    struct exchange *x = ctx;
    struct failure why;

    if (x->upload_blocked && stream_progressed(upstream_stream(x->upstream))) {
        exchange_await(x); /* it is slow, but it reads */
        return;
    }
    if (x->upload_dead && !x->head_passed) {
        failure_plain(&why, FAIL_UPSTREAM_CLOSED);
        exchange_lost_upstream(x, &why);
        return;
    }
    failure_set(&why, FAIL_ANSWER_TIMEOUT, "%s did not %s in time.", x->tenant->peer,
                x->head_passed ? "send the rest of its answer" : "answer");
    exchange_fail(x, &why);
}

static void on_caller_timeout(void *ctx)
{
    struct exchange *x = ctx;
    struct failure why;

    if (x->download_blocked && stream_progressed(client_stream(x->client))) {
        exchange_await(x);
        return;
    }
    if (x->download_blocked)
        failure_plain(&why, FAIL_CALLER_STALLED);
    else
        failure_set(&why, FAIL_REQUEST_TIMEOUT, "The body of the request did not arrive in time.");
    exchange_fail(x, &why);
}

/* ---- the end ---- */

static void release(void *arg)
{
    struct exchange *x = arg;

    body_free(&x->request);
    body_free(&x->answer);
    edit_trailer_rules_free(&x->request_trailers);
    edit_trailer_rules_free(&x->answer_trailers);
    buf_free(&x->head);
    buf_free(&x->held);
    buf_free(&x->base);
    link_filter_free(x->request_links);
    link_filter_free(x->answer_links);
    free(x->failure);
    free(x->user);
    if (x->origin != NULL)
        origin_unref(x->origin);
    generation_unref(x->generation);
    free(x);
}

void exchange_note_failure(struct exchange *x, const struct failure *why)
{
    if (x->failure == NULL)
        x->failure = NEW(struct failure);
    *x->failure = *why;
}

/* Method and path are read off the head, which begins with them. */
static void report(const struct exchange *x)
{
    struct slice target = buf_slice(&x->head);
    struct slice method = slice_split(&target, ' ');
    struct slice path = mask_target(slice_split(&target, ' '));
    struct record r = {
        .id = x->id,
        .tenant = x->tenant == NULL ? NULL : x->tenant->name,
        .caller = client_caller(x->client),
        .user = x->admitted ? x->user : NULL,
        .method = method,
        .path = path,
        .status = x->status,
        .bytes_in = x->request.bytes,
        .bytes_out = x->answer.bytes,
        .reused = x->reused,
        .tls = x->tls,
        .failure = x->failure,
    };

    worker_report(x->worker, &r, x->begun_us, x->first_us);
}

/* Lets go of everything but the client. */
static void end(struct exchange *x)
{
    x->over = true;
    timer_stop(&x->answer_timer);
    timer_stop(&x->caller_timer);
    task_cancel(&x->go_on);
    exchange_collect_end(x);
    if (x->check != NULL)
        check_cancel(x->check);
    origin_cancel(&x->acquire);
    report(x);
    loop_bury(x->worker->loop, x, release);
}

static bool request_is_read(const struct exchange *x)
{
    return x->request_done || x->request.complete;
}

static void drop_upstream(struct exchange *x, enum stream_close_mode mode)
{
    struct upstream *u = x->upstream;

    x->upstream = NULL;
    if (u != NULL)
        upstream_close(u, mode);
}

void exchange_finish(struct exchange *x, bool clean)
{
    struct client *c = x->client;
    struct upstream *u = x->upstream;

    x->upstream = NULL;
    end(x);
    if (clean && x->upstream_persists && x->request_done && !x->upload_dead &&
        stream_queued(upstream_stream(u)) == 0)
        origin_give_back(x->origin, u, x->idle_ms);
    else
        upstream_close(u, x->request_done ? STREAM_CLOSE : STREAM_ABORT);
    client_done(c, request_is_read(x));
}

/* Whoever has no token keeps no connection. */
static bool is_stranger(const struct exchange *x)
{
    return x->failure->id == FAIL_CALLER_TOKEN || x->failure->id == FAIL_PROXY_TOKEN;
}

/* RFC 9110, 15: the proxy's own answer, as long as the server's has not begun to go out. */
static void reply(struct exchange *x)
{
    struct buf answer = {0};
    enum persistence p = client_decide(x->client, request_is_read(x) && !is_stranger(x));

    x->status = fail_info(x->failure->id)->status;
    x->first_us = clock_monotonic_us();
    reply_problem_with(&answer, x->failure, x->id, x->method == METHOD_HEAD, p,
                       exchange_page_fields(x), clock_wall_us());
    (void)stream_write_bytes(client_stream(x->client), answer.p, answer.n);
    buf_free(&answer);
}

void exchange_finish_own(struct exchange *x, int status)
{
    struct client *c = x->client;

    x->status = status;
    x->first_us = clock_monotonic_us();
    end(x);
    client_done(c, request_is_read(x));
}

void exchange_fail(struct exchange *x, const struct failure *why)
{
    struct client *c = x->client;
    bool closes = x->minor == 0 || x->answer.out == FRAMING_CLOSE;

    if (x->over)
        return;
    exchange_note_failure(x, why);
    drop_upstream(x, STREAM_ABORT);
    if (!x->head_passed && fail_info(why->id)->status != 0) {
        reply(x);
        end(x);
        client_done(c, request_is_read(x));
        return;
    }
    end(x);
    client_cut_off(c, closes || why->id == FAIL_CALLER_STALLED);
}

void exchange_fail_plain(struct exchange *x, enum fail id)
{
    struct failure why;

    failure_plain(&why, id);
    exchange_fail(x, &why);
}

static void on_caller_gone(void *ctx)
{
    struct exchange *x = ctx;
    struct failure why;

    failure_plain(&why, x->worker->ended ? FAIL_SHUTDOWN : FAIL_CALLER_GONE);
    exchange_note_failure(x, &why);
    drop_upstream(x, STREAM_ABORT);
    end(x);
}

/* Half-closed callers get their answer, unless their request can never become whole. */
static void on_caller_end(void *ctx)
{
    struct exchange *x = ctx;

    if (!request_is_read(x))
        client_kill(x->client); /* which calls on_caller_gone() */
}

/* ---- the connection ---- */

static void attach(struct exchange *x, struct upstream *u)
{
    x->upstream = u;
    x->identity = upstream_identity(u);
    upstream_use(u, &server_handler, x);
    x->reused = upstream_is_reused(u);
    x->tls = upstream_tls(u);
}

/* What the caller has sent meanwhile was left in its stream. */
static void send_late(struct exchange *x)
{
    (void)exchange_request_push(x, SLICE(""));
    if (!x->over && !x->request_done)
        stream_resume(client_stream(x->client));
}

static void on_acquired(void *ctx, struct upstream *u, const struct failure *why)
{
    struct exchange *x = ctx;

    if (u == NULL) {
        x->identity = x->acquire.identity;
        if (why->id != FAIL_CERTIFICATE_REFUSED || !exchange_refused(x))
            exchange_fail(x, why);
        return;
    }
    attach(x, u);
    /* Made before the other certificate came into use: nothing was sent on it. */
    if (!x->tries_identity && x->identity != overlap_in_use(origin_overlap(x->origin)) &&
        exchange_repeat(x, ACQUIRE_ANY))
        return;
    send_late(x);
}

/* True if there is one at once. */
static bool acquire(struct exchange *x, enum acquire_kind kind)
{
    struct upstream *u = NULL;
    struct failure why;

    x->acquire.done = on_acquired;
    x->acquire.ctx = x;
    switch (origin_acquire(x->origin, &x->acquire, kind, &u, &why)) {
    case ACQUIRED:
        attach(x, u);
        return true;
    case ACQUIRE_REFUSED:
        exchange_fail(x, &why);
        return false;
    default:
        return false;
    }
}

bool exchange_repeat(struct exchange *x, enum acquire_kind kind)
{
    if (!exchange_request_rewind(x))
        return false;
    timer_stop(&x->answer_timer);
    timer_stop(&x->caller_timer);
    drop_upstream(x, STREAM_ABORT);
    x->reader = (struct h1_reader){0};
    x->answer_begun = false;
    x->first_us = 0;
    x->reused = false;
    x->tls = NULL;
    if (acquire(x, kind))
        send_late(x);
    return true;
}

/* Design rule: at most once, never after a byte of an answer, only what may be done twice. */
void exchange_lost_upstream(struct exchange *x, const struct failure *why)
{
    bool repeats = (x->reused || !x->head_sent) && !x->repeated && !x->answer_begun;

    x->repeated = x->repeated || repeats;
    if (!repeats || !exchange_repeat(x, ACQUIRE_FRESH))
        exchange_fail(x, why);
}

/* While a body is collected nothing is sent, and what a server says meanwhile would be taken for
 * the answer: so there is no connection yet. */
bool exchange_set_out(struct exchange *x)
{
    enum acquire_kind kind = ACQUIRE_ANY;
    struct failure why;

    if (x->collecting)
        return true;
    if (exchange_choose_identity(x, &kind, &why))
        return acquire(x, kind);
    exchange_fail(x, &why);
    return false;
}

/* Told only now, when it is known who calls: rules are nothing for strangers. */
static bool may_pass(struct exchange *x)
{
    struct failure why;

    if (!x->barred)
        return true;
    why = *x->failure;
    exchange_fail(x, &why);
    return false;
}

void exchange_go_on(struct exchange *x)
{
    if (may_pass(x) && exchange_set_out(x))
        send_late(x);
}

/* ---- the beginning ---- */

static const struct client_job job = {
    .on_data = exchange_on_caller_data,
    .on_drained = exchange_on_caller_drained,
    .on_end = on_caller_end,
    .on_gone = on_caller_gone,
};

static struct exchange *exchange_new(struct client *c, const struct client_request *r)
{
    struct exchange *x = NEW(struct exchange);

    x->client = c;
    x->worker = client_worker(c);
    x->generation = generation_ref(x->worker->generation);
    worker_new_id(x->worker, x->id);
    x->begun_us = r->begun_us;
    x->method = r->head->method;
    x->minor = r->head->minor;
    timer_init(&x->answer_timer, on_answer_timeout, x);
    timer_init(&x->caller_timer, on_caller_timeout, x);
    task_init(&x->go_on, exchange_go_on_with_answer, x);
    client_set_job(c, &job, x);
    return x;
}

static struct guard_view view_of(const struct exchange *x)
{
    const struct client_door *door = client_door(x->client);

    return (struct guard_view){.config = x->worker->config,
                               .unix_listener = door->is_unix,
                               .port = door->port,
                               .remote_listener = door->is_remote,
                               .own = client_own_address(x->client),
                               .inside = client_inside(x->client)};
}

/* Whose is it? */
static bool find_tenant(struct exchange *x, const struct client_request *r,
                        const struct guard_view *v, struct target *target, struct failure *why)
{
    struct worker *w = x->worker;
    const struct inside *in = v->inside;

    if (in != NULL) { /* all that the target's host could say was said by the CONNECT */
        target->form = TARGET_AUTHORITY;
        target->authority = in->target;
    }
    int tenant = route_find(w->config, client_door(x->client)->tenant, r->head, target, why);
    if (tenant < 0 || !guard_knows_caller(v, w->config->tenants[tenant], why) ||
        !guard_reads_credentials(v, w->config->tenants[tenant], r->head, why))
        return false;
    x->origin = origin_ref(w->origins[tenant]);
    x->tenant = w->config->tenants[tenant];
    return true;
}

static size_t serve(void *ctx, struct client *c, const struct client_request *r)
{
    struct target target;
    struct failure why;

    (void)ctx;
    if (r->head->method == METHOD_CONNECT && client_inside(c) == NULL)
        return connect_serve(c, r);
    struct exchange *x = exchange_new(c, r);
    exchange_request_start(x, r->head);
    x->page = guard_page(x->worker->config, r->head);
    struct guard_view view = view_of(x);
    bool admitted = target_parse(r->head, &target, &why);
    target.own = admitted && guard_names_proxy(&view, &target);
    admitted = admitted && guard_admits(&view, r->head, &target, &why);
    bool preflight = admitted && exchange_is_preflight(x, r->head);
    if (preflight || !admitted || !find_tenant(x, r, &view, &target, &why)) {
        buf_addf(&x->head, "%.*s %.*s ", (int)r->head->method_name.n, r->head->method_name.p,
                 (int)r->head->target.n, r->head->target.p);
        if (preflight)
            exchange_answer_preflight(x, r->head);
        else
            exchange_fail(x, &why);
        return 0;
    }
    exchange_request_edit(x, r->head, &target);
    if (x->tenant->rules != NULL && !rules_cover(x->tenant->rules, r->head, &target, &why)) {
        exchange_note_failure(x, &why);
        x->barred = true;
    }
    if (x->tenant->callers != NULL && !exchange_admit(x, r->head))
        return 0;
    return may_pass(x) && exchange_set_out(x) ? exchange_request_push(x, r->rest) : 0;
}

const struct client_service exchange_service = {serve};
