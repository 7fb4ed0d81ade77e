#include "caller/client.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/slab.h"
#include "caller/admission.h"
#include "http/reply.h"
#include "net/address.h"

enum {
    LINGER_MS = 5000,        /* how long linger() waits for the caller's next bytes or its end */
    LINGER_LIMIT_MS = 30000, /* the same in all, however often bytes come */
    /* How long a new caller has for its first request after the shutdown has begun. */
    FIRST_MS = 1000
};

enum client_state {
    CLIENT_IDLE,   /* nothing of a request has come */
    CLIENT_HEAD,   /* a part of a head has come */
    CLIENT_BUSY,   /* a request is being served */
    CLIENT_LINGER, /* the last answer is on its way; further bytes are thrown away */
    CLIENT_CLOSED,
};

/* Legal moves, one row per state. Anything else is a bug in this program. */
static const unsigned allowed[] = {
    [CLIENT_IDLE] = BIT(CLIENT_HEAD) | BIT(CLIENT_LINGER) | BIT(CLIENT_CLOSED),
    [CLIENT_HEAD] = BIT(CLIENT_BUSY) | BIT(CLIENT_LINGER) | BIT(CLIENT_CLOSED),
    [CLIENT_BUSY] = BIT(CLIENT_IDLE) | BIT(CLIENT_LINGER) | BIT(CLIENT_CLOSED),
    [CLIENT_LINGER] = BIT(CLIENT_CLOSED),
    [CLIENT_CLOSED] = 0,
};

struct client {
    struct list node;
    struct clients *all; /* of the same worker */
    const struct client_door *door;
    struct admission admission; /* whose the connection is, and the places it takes */
    struct stream *stream;
    enum client_state state;
    struct h1_reader reader;
    struct timer timer; /* for the states IDLE, HEAD and LINGER */
    int64_t linger_since;
    const struct client_job *job_ops;
    void *job;
    int64_t request_begun_us;
    int request_minor;
    /* Requests so far; inside a CONNECT, those inside it. */
    int64_t requests;
    bool request_keeps;    /* the caller wants another request on the connection */
    bool persists;         /* the connection goes on after this answer */
    bool ended;            /* the caller has sent its last byte */
    struct inside *inside; /* the CONNECT whose inside is being read; NULL: none */
    struct address *own;   /* the local address; NULL: not needed */
};

static void set_state(struct client *c, enum client_state to)
{
    assert((allowed[c->state] & BIT(to)) != 0);
    c->state = to;
}

static void start_timer(struct client *c, int64_t ms)
{
    timer_start(c->all->loop, &c->timer, ms);
}

/* ---- the end ---- */

/* The caller has connected and has sent nothing yet. */
static bool is_new(const struct client *c)
{
    return c->state == CLIENT_IDLE && c->request_begun_us == 0;
}

/* A shutdown waits for these: a request or an answer is under way, or a new caller's first request
 * may be on its way. */
static bool is_served(const struct client *c)
{
    if (c->door->for_operators)
        return false; /* a shutdown does not wait for operators */
    return is_new(c) || c->state == CLIENT_HEAD || c->state == CLIENT_BUSY ||
           (c->state == CLIENT_LINGER && stream_queued(c->stream) > 0);
}

/* Call it when a caller became idle or went away: during a shutdown, reports the first time that
 * nobody is served any more. */
static void check_drained(struct clients *all)
{
    if (!all->draining || all->drained)
        return;
    list_each (node, &all->list)
        if (is_served(list_entry(node, struct client, node)))
            return;
    all->drained = true;
    all->shared->on_drained(all->shared->drained_ctx, all);
}

static void release(void *arg)
{
    struct client *c = arg;

    inside_free(c->inside);
    free(c->own);
    slab_give(loop_slab(c->all->loop, sizeof(*c)), c);
}

static void close_client(struct client *c, enum stream_close_mode mode)
{
    struct clients *all = c->all;
    const struct client_job *ops = c->job_ops;

    if (c->state == CLIENT_CLOSED)
        return;
    set_state(c, CLIENT_CLOSED);
    c->job_ops = NULL;
    if (ops != NULL)
        ops->on_gone(c->job);
    timer_stop(&c->timer);
    list_remove(&c->node);
    admission_give(all, &c->admission);
    stream_close(c->stream, mode);
    loop_bury(all->loop, c, release);
    check_drained(all);
}

/* How long the caller may do nothing about its last answer, in milliseconds. */
static int64_t patience(const struct client *c)
{
    if (c->state == CLIENT_IDLE || stream_queued(c->stream) > 0)
        return c->all->config->body_timeout;
    return LINGER_MS;
}

/* The last answer is on its way, at the caller's pace. When it has gone out, the caller has
 * LINGER_MS to close the connection. */
static void wait_for_farewell(struct client *c)
{
    c->linger_since = loop_now(c->all->loop);
    (void)stream_progressed(c->stream);
    start_timer(c, patience(c));
}

/* If the socket were closed at once, the kernel would answer bytes that still come in with a reset,
 * and the reset would destroy the answer that is on its way. So the caller gets a FIN and time to
 * read (RFC 9112, 9.6). */
static void linger(struct client *c)
{
    set_state(c, CLIENT_LINGER);
    stream_resume(c->stream);
    stream_finish(c->stream);
    wait_for_farewell(c);
    if (c->ended && stream_queued(c->stream) == 0)
        close_client(c, STREAM_CLOSE);
    else
        check_drained(c->all);
}

/* Waits for the next request. While an answer is still queued no request is read: a caller that
 * pipelines and never reads would fill the memory. */
static void rest(struct client *c)
{
    if (stream_queued(c->stream) > 0) {
        stream_pause(c->stream);
        (void)stream_progressed(c->stream);
        start_timer(c, c->all->config->body_timeout);
    } else {
        start_timer(c, c->all->config->idle_timeout);
        stream_resume(c->stream);
    }
}

static void end_service(struct client *c)
{
    c->job_ops = NULL;
    c->job = NULL;
}

void client_done(struct client *c, bool read)
{
    end_service(c);
    if (c->persists && !c->ended && !c->all->draining) {
        set_state(c, CLIENT_IDLE);
        rest(c);
    } else if (!read || stream_is_sending(c->stream) || stream_has_unread(c->stream)) {
        linger(c);
    } else {
        close_client(c, STREAM_CLOSE);
    }
}

void client_cut_off(struct client *c, bool reset)
{
    end_service(c);
    if (reset)
        close_client(c, STREAM_RESET);
    else
        linger(c);
}

/* ---- answers of the proxy itself ---- */

int client_refuse(struct client *c, const struct failure *why, const struct client_refusal *how)
{
    struct buf answer = {0};

    reply_problem(&answer, why, how->id, how->head_only, client_decide(c, how->reusable),
                  how->fields, clock_wall_us());
    (void)stream_write_bytes(c->stream, answer.p, answer.n);
    buf_free(&answer);
    return fail_info(why->id)->status;
}

/* Answers a request that could not be read. The connection ends, because nobody can tell where the
 * next request would begin. */
static void refuse_head(struct client *c, const struct failure *why, bool head_only)
{
    char id[REQUEST_ID_SIZE];

    clients_new_id(c->all, id);
    int status = client_refuse(c, why, &(struct client_refusal){.id = id, .head_only = head_only});
    clients_report(c->all,
                   &(struct record){
                       .id = id, .caller = &c->admission.caller, .status = status, .failure = why},
                   c->request_begun_us, clock_monotonic_us());
    linger(c);
}

/* The handshake inside the CONNECT has failed. The caller does not learn the reason from the proxy,
 * and the operator does not see the caller's message, so the log gets an explanation. */
static void report_tls(struct client *c, const struct failure *tls)
{
    char id[REQUEST_ID_SIZE];
    struct failure why;

    clients_new_id(c->all, id);
    inside_explain(c->inside, tls, &why);
    clients_report(c->all,
                   &(struct record){.id = id,
                                    .caller = &c->admission.caller,
                                    .method = SLICE("CONNECT"),
                                    .path = c->inside->is.target.host,
                                    .failure = &why},
                   clock_monotonic_us(), 0);
}

/* ---- inside a CONNECT ---- */

void client_enter(struct client *c, struct inside *in)
{
    c->inside = in;
    c->requests = 0;
    c->persists = true;
}

const struct inside *client_inside(const struct client *c)
{
    return c->inside;
}

static void begin_tls(struct client *c, struct slice bytes)
{
    SSL *ssl = SSL_new(c->inside->tls);

    if (ssl == NULL)
        abort(); /* no memory: see mem.h */
    SSL_set_accept_state(ssl);
    stream_start_tls(c->stream, ssl, "the caller", bytes);
    start_timer(c, c->all->config->head_timeout);
}

static bool is_in_handshake(const struct client *c)
{
    return c->inside != NULL && c->inside->is.secure && !c->inside->ready;
}

/* ---- requests ---- */

static void note_request(struct client *c, const struct head *h)
{
    c->request_minor = h->minor;
    c->request_keeps =
        !head_says(h, OPTION_CLOSE) && (h->minor > 0 || head_says(h, OPTION_KEEP_ALIVE));
}

enum persistence client_decide(struct client *c, bool reusable)
{
    const int64_t most = c->all->config->max_requests;

    c->persists = reusable && c->request_keeps && !c->ended && !c->all->draining &&
                  (most == 0 || c->requests < most);
    if (!c->persists)
        return PERSIST_CLOSE;
    return c->request_minor == 0 ? PERSIST_KEEP_ALIVE : PERSIST_DEFAULT;
}

static size_t serve(struct client *c, const struct head *head, struct slice rest)
{
    struct client_request r = {head, rest, c->request_begun_us};

    set_state(c, CLIENT_BUSY);
    timer_stop(&c->timer);
    c->reader = (struct h1_reader){0};
    c->requests++;
    note_request(c, head);
    return c->door->service->serve(c->door->ctx, c, &r);
}

/* A request that cannot be read may still show that its method is HEAD. */
static bool begins_with_head(const struct h1_reader *r, struct slice bytes)
{
    return bytes.n >= r->start + 5 && memcmp(bytes.p + r->start, "HEAD ", 5) == 0;
}

/* Some clients send an empty line after a body (RFC 9112, 2.2). It is not the beginning of a
 * request. */
static bool may_be_leftover(struct slice bytes)
{
    static const char lines[] = "\r\n\r\n";

    return bytes.n < sizeof(lines) && memcmp(bytes.p, lines, bytes.n) == 0;
}

static size_t read_head(struct client *c, struct slice bytes)
{
    struct clients *all = c->all;
    struct failure why;
    size_t used = 0;

    if (c->state == CLIENT_IDLE) {
        if (c->inside != NULL && !c->inside->begun && inside_begin(c->inside, bytes)) {
            begin_tls(c, bytes);
            return bytes.n;
        }
        if (may_be_leftover(bytes))
            return 0;
        set_state(c, CLIENT_HEAD);
        timer_stop(&c->timer);
        c->reader = (struct h1_reader){0};
        c->request_begun_us = clock_monotonic_us();
    }
    switch (h1_read_request(&c->reader, &all->limits, bytes, all->request_head, &used, &why)) {
    case H1_DONE:
        used += serve(c, all->request_head, (struct slice){bytes.p + used, bytes.n - used});
        return used;
    case H1_REFUSED:
        refuse_head(c, &why, begins_with_head(&c->reader, bytes));
        return bytes.n;
    default:
        if (!timer_runs(&c->timer))
            start_timer(c, all->config->head_timeout);
        return 0;
    }
}

static size_t take(struct client *c, struct slice bytes)
{
    switch (c->state) {
    case CLIENT_IDLE:
    case CLIENT_HEAD:
        return read_head(c, bytes);
    case CLIENT_BUSY:
        if (c->job_ops == NULL)
            return 0;
        return c->job_ops->on_data(c->job, bytes);
    default:
        return bytes.n;
    }
}

/* An answer is still queued, so the next request has to wait: see rest(). */
static bool is_resting(const struct client *c)
{
    return c->state == CLIENT_IDLE && stream_queued(c->stream) > 0;
}

static size_t on_data(void *ctx, const char *p, size_t n)
{
    struct client *c = ctx;
    size_t used = 0;

    if (c->state == CLIENT_LINGER) {
        if (stream_queued(c->stream) > 0)
            return n;
        if (loop_now(c->all->loop) - c->linger_since > LINGER_LIMIT_MS)
            close_client(c, STREAM_CLOSE);
        else
            start_timer(c, LINGER_MS);
        return n;
    }
    while (used < n && c->state != CLIENT_CLOSED && !is_resting(c)) {
        size_t step = take(c, (struct slice){p + used, n - used});
        if (step == 0)
            break;
        used += step;
    }
    return used;
}

static void on_end(void *ctx)
{
    struct client *c = ctx;

    c->ended = true;
    if (c->state == CLIENT_BUSY && c->job_ops != NULL)
        c->job_ops->on_end(c->job); /* a half-closed caller may still want its answer */
    else if (c->state != CLIENT_LINGER || stream_queued(c->stream) == 0)
        close_client(c, STREAM_CLOSE);
}

static void on_drained(void *ctx)
{
    struct client *c = ctx;

    switch (c->state) {
    case CLIENT_BUSY:
        if (c->job_ops != NULL)
            c->job_ops->on_drained(c->job);
        break;
    case CLIENT_IDLE:
        rest(c);
        break;
    case CLIENT_LINGER:
        if (c->ended) {
            close_client(c, STREAM_CLOSE);
        } else {
            wait_for_farewell(c);
            check_drained(c->all);
        }
        break;
    default:
        break;
    }
}

static void on_broken(void *ctx, const struct failure *why)
{
    struct client *c = ctx;

    if (is_in_handshake(c))
        report_tls(c, why);
    close_client(c, STREAM_ABORT);
}

static void on_write_broken(void *ctx)
{
    close_client(ctx, STREAM_ABORT);
}

static void on_ready(void *ctx)
{
    struct client *c = ctx;

    if (c->inside == NULL)
        return;
    inside_note_handshake(c->inside, stream_ssl(c->stream));
    if (c->state == CLIENT_IDLE)
        start_timer(c, c->all->config->idle_timeout);
}

static void on_expiry(void *ctx)
{
    struct client *c = ctx;
    struct failure why;

    if (c->state == CLIENT_HEAD) {
        failure_set(&why, FAIL_REQUEST_TIMEOUT, "The head of the request did not arrive in time.");
        refuse_head(c, &why, false);
    } else if (stream_progressed(c->stream)) { /* the caller is slow, but it reads */
        start_timer(c, patience(c));
    } else {
        close_client(c, STREAM_CLOSE);
    }
}

/* ---- life ---- */

static const struct stream_handler handler = {on_ready,   on_data,   on_end,
                                              on_drained, on_broken, on_write_broken};

static void note_own_address(struct client *c, int fd)
{
    c->own = NEW(struct address);
    if (address_of_socket(fd, c->own))
        return;
    free(c->own);
    c->own = NULL;
}

struct client *client_new(struct clients *all, const struct client_door *door, int fd,
                          const struct admission *admission)
{
    struct client *c = slab_take(loop_slab(all->loop, sizeof(*c)));

    c->all = all;
    c->door = door;
    c->admission = *admission;
    timer_init(&c->timer, on_expiry, c);
    list_append(&all->list, &c->node);
    if (door->is_remote)
        note_own_address(c, fd);
    if (door->tls == NULL) {
        c->stream = stream_new_accepted(all->loop, fd, &handler, c);
    } else {
        SSL *ssl = SSL_new(door->tls);
        SSL_set_accept_state(ssl);
        c->stream = stream_new_tls(all->loop, fd, ssl, "the caller", &handler, c);
    }
    stream_notice_reset(c->stream);
    start_timer(c, door->is_remote ? all->config->head_timeout : all->config->idle_timeout);
    return c;
}

void client_turn_away(struct client *c, const struct failure *why)
{
    c->request_begun_us = clock_monotonic_us();
    refuse_head(c, why, false);
}

struct clients *client_all(const struct client *c)
{
    return c->all;
}

const struct client_door *client_door(const struct client *c)
{
    return c->door;
}

const struct address *client_own_address(const struct client *c)
{
    return c->own;
}

const struct caller_id *client_caller(const struct client *c)
{
    return &c->admission.caller;
}

struct stream *client_stream(const struct client *c)
{
    return c->stream;
}

void client_set_job(struct client *c, const struct client_job *ops, void *job)
{
    c->job_ops = ops;
    c->job = job;
}

void client_kill(struct client *c)
{
    close_client(c, STREAM_ABORT);
}

/* ---- all of a worker ---- */

static void drain(struct client *c)
{
    if (c->state != CLIENT_IDLE || c->door->for_operators)
        return; /* an operator may still ask, and the shutdown does not wait for that */
    if (is_new(c))
        start_timer(c, FIRST_MS);
    else if (stream_queued(c->stream) > 0)
        linger(c);
    else
        close_client(c, STREAM_CLOSE);
}

void client_drain_all(struct clients *all)
{
    all->draining = true;
    list_each (node, &all->list)
        drain(list_entry(node, struct client, node));
    check_drained(all);
}

void client_kill_all(struct clients *all)
{
    all->ended = all->drained = true;
    list_each (node, &all->list)
        client_kill(list_entry(node, struct client, node));
}
