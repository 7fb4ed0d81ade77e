#include "upstream/parent_tunnel.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "http/body.h"
#include "http/h1_reader.h"
#include "net/dial.h"
#include "upstream/parent_auth.h"

enum {
    /* Bytes of a 407 that are read so that its connection can be used again. */
    MAX_REFUSAL = 256 * 1024,
    MAX_LOST = 4,     /* times that the proxy closes between two messages of a login */
    FIELD_EXTRA = 64, /* bytes: name and line ends of Proxy-Authorization, and the empty line */
};

struct parent_tunnel {
    struct upstreams *all;
    struct parent_proxy *parent;
    char *target; /* host:port */
    parent_tunnel_done *done;
    void *ctx;
    struct way_times unwanted, *way;
    struct dial *dial;     /* to the parent proxy, while it dials */
    struct stream *stream; /* to the parent proxy; NULL: not connected */
    struct timer deadline; /* for the parent proxy's answer */
    int64_t begun;         /* loop_now() */
    int64_t begun_us;
    struct parent_auth auth;
    struct h1_reader reader;
    struct head *head;
    struct body body; /* the content of a 407 */
    bool in_body;
    /* What to send next is known; if false, `auth` is finding out. */
    bool knows;
    bool is_used; /* a CONNECT was answered on this connection */
    bool heard;   /* a byte of the current answer has come */
    /* Connections that ended between a 407 and the next CONNECT's answer. */
    unsigned lost;
    bool ended;
};

static const struct config *config_of(const struct parent_tunnel *t)
{
    return t->all->generation->config;
}

static int64_t time_left(const struct parent_tunnel *t)
{
    int64_t left = t->begun + config_of(t)->connect_timeout - loop_now(t->all->loop);

    return left > 0 ? left : 0;
}

/* ---- the end ---- */

static void release(void *arg)
{
    struct parent_tunnel *t = arg;

    body_free(&t->body);
    head_free(t->head);
    parent_proxy_unref(t->parent);
    free(t->target);
    free(t);
}

static void drop_stream(struct parent_tunnel *t)
{
    if (t->stream != NULL)
        stream_close(t->stream, STREAM_CLOSE);
    t->stream = NULL;
}

void parent_tunnel_cancel(struct parent_tunnel *t)
{
    if (t->ended)
        return;
    t->ended = true;
    if (t->dial != NULL)
        dial_cancel(t->dial);
    drop_stream(t);
    parent_auth_stop(&t->auth); /* a helper's result may come before the memory is freed */
    timer_stop(&t->deadline);
    loop_bury(t->all->loop, t, release);
}

static void note_time(struct parent_tunnel *t)
{
    t->way->connect = clock_monotonic_us() - t->begun_us - (t->way->dns > 0 ? t->way->dns : 0);
}

static void fail(struct parent_tunnel *t, const struct failure *why)
{
    struct failure copy = *why;

    if (t->ended)
        return;
    note_time(t);
    parent_tunnel_cancel(t);
    t->done(t->ctx, NULL, (struct slice){NULL, 0}, &copy);
}

static void establish(struct parent_tunnel *t, struct slice rest)
{
    struct stream *s = t->stream;

    LOG_TRACE("parent proxy %s: the tunnel to %s stands", t->parent->name, t->target);
    note_time(t);
    t->stream = NULL; /* it belongs to the user now */
    parent_tunnel_cancel(t);
    t->done(t->ctx, s, rest, NULL);
}

static void fail_closed(struct parent_tunnel *t)
{
    const struct parent_proxy *p = t->parent;
    struct failure why;

    if (t->auth.legs > 0)
        failure_set(&why, FAIL_PARENT_CLOSED,
                    "The parent proxy %s (%s) closed the connection in the middle of the %s "
                    "negotiation.",
                    p->name, p->where, parent_auth_name(&t->auth));
    else
        failure_set(&why, FAIL_PARENT_CLOSED,
                    "The parent proxy %s (%s) closed the connection %s CONNECT %s.", p->name,
                    p->where, t->heard ? "in the middle of its answer to" : "without an answer to",
                    t->target);
    fail(t, &why);
}

static void on_deadline(void *ctx)
{
    struct parent_tunnel *t = ctx;
    const struct parent_proxy *p = t->parent;
    struct failure why;

    if (!t->knows)
        failure_set(&why, FAIL_PARENT_TICKET,
                    "%s gave nothing in time with which sfmtls could say to the parent proxy %s "
                    "(%s) who it is.",
                    parent_auth_name(&t->auth), p->name, p->where);
    else
        failure_set(&why, FAIL_PARENT_TIMEOUT,
                    "The parent proxy %s (%s) did not answer CONNECT %s in time.", p->name,
                    p->where, t->target);
    fail(t, &why);
}

/* ---- requests ---- */

static void say_connect(struct parent_tunnel *t)
{
    struct buf text = {0};
    const struct buf *field = &t->auth.field;

    buf_addf(&text,
             "CONNECT %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: sfmtls/%s\r\n"
             "Proxy-Connection: Keep-Alive\r\n",
             t->target, t->target, SFMTLS_VERSION);
    buf_reserve(&text, field->n + FIELD_EXTRA); /* it is wiped later, so it must not move */
    if (field->n > 0) {
        buf_add_string(&text, "Proxy-Authorization: ");
        buf_add_slice(&text, buf_slice(field));
        buf_add_string(&text, "\r\n");
    }
    buf_add_string(&text, "\r\n");
    LOG_TRACE("parent proxy %s: CONNECT %s, %s", t->parent->name, t->target,
              field->n > 0 ? "with credentials" : "without credentials");
    t->heard = false;
    t->reader = (struct h1_reader){0};
    (void)stream_write_bytes(t->stream, text.p, text.n);
    file_wipe(&text);
}

static void dial(struct parent_tunnel *t);

/* Sends the next CONNECT, if the 407 has been read and it is known what to send. */
static void go_on(struct parent_tunnel *t)
{
    if (t->in_body || !t->knows)
        return;
    if (t->stream == NULL) {
        dial(t);
        return;
    }
    t->is_used = true;
    say_connect(t);
}

/* ---- answers ---- */

static void explain_status(const struct parent_tunnel *t, struct failure *why)
{
    int status = t->head->status;
    enum fail id = status == 403                    ? FAIL_PARENT_FORBADE
                   : status == 502 || status == 503 ? FAIL_PARENT_SERVER
                   : status == 504                  ? FAIL_PARENT_SERVER_TIMEOUT
                                                    : FAIL_PARENT_STATUS;

    failure_set(why, id, "The parent proxy %s (%s) answered %d %.*s to CONNECT %s.",
                t->parent->name, t->parent->where, status, (int)t->head->reason.n,
                t->head->reason.n == 0 ? "" : t->head->reason.p, t->target);
}

static void fail_answer(struct parent_tunnel *t, enum fail id, const char *how)
{
    struct failure why;

    failure_set(&why, id, "The parent proxy %s (%s) answered CONNECT %s %s.", t->parent->name,
                t->parent->where, t->target, how);
    fail(t, &why);
}

static void fail_malformed(struct parent_tunnel *t, const struct failure *found)
{
    if (found->id == FAIL_ANSWER_TOO_LARGE)
        fail_answer(t, FAIL_PARENT_TOO_LARGE,
                    "with a head that is larger than max-head and max-fields allow");
    else
        fail_answer(t, FAIL_PARENT_MALFORMED, "with something that is not well-formed HTTP/1.1");
}

static bool says_keep_alive(const struct head *h)
{
    return slice_eq_nocase(head_value(h, FIELD_PROXY_CONNECTION), SLICE("keep-alive"));
}

static bool says_close(const struct head *h)
{
    const struct field *f;
    size_t at = 0;

    while ((f = head_next(h, FIELD_PROXY_CONNECTION, &at)) != NULL)
        if (slice_eq_nocase(f->value, SLICE("close")))
            return true;
    return head_says(h, OPTION_CLOSE);
}

/* Can the connection be used again after the content of this answer? */
static bool goes_on(const struct head *h)
{
    if (says_close(h) || framing_of_response(h, METHOD_CONNECT) == FRAMING_CLOSE)
        return false;
    if (h->has_length && h->content_length > MAX_REFUSAL)
        return false;
    return h->minor == 1 || head_says(h, OPTION_KEEP_ALIVE) || says_keep_alive(h);
}

static void take_challenge(struct parent_tunnel *t)
{
    const struct body_limits limits = {(size_t)config_of(t)->max_head,
                                       (size_t)config_of(t)->max_fields};
    struct failure why;

    if (parent_auth_needs_connection(&t->auth) && !goes_on(t->head)) {
        fail_closed(t);
        return;
    }
    enum auth_result result = parent_auth_judge(&t->auth, t->head, &why);
    t->knows = result == AUTH_READY;
    if (result == AUTH_FAILS) {
        fail(t, &why);
        return;
    }
    if (!goes_on(t->head)) {
        drop_stream(t);
        go_on(t);
        return;
    }
    t->in_body = true;
    body_free(&t->body);
    body_start(&t->body, framing_of_response(t->head, METHOD_CONNECT), FRAMING_CLOSE,
               t->head->content_length, &limits);
}

static void take_head(struct parent_tunnel *t, struct slice *in)
{
    const struct h1_limits limits = {(size_t)config_of(t)->max_head,
                                     (size_t)config_of(t)->max_target};
    struct failure why;
    size_t used = 0;

    switch (h1_read_response(&t->reader, &limits, *in, t->head, &used, &why)) {
    case H1_MORE:
        return;
    case H1_REFUSED:
        fail_malformed(t, &why);
        return;
    case H1_DONE:
        break;
    }
    *in = (struct slice){in->p + used, in->n - used};
    t->reader = (struct h1_reader){0};
    if (t->head->status == 407) {
        take_challenge(t);
    } else if (t->head->status / 100 == 2 && stream_queued(t->stream) > 0) {
        fail_answer(t, FAIL_PARENT_MALFORMED, "before it had read that");
    } else if (t->head->status / 100 == 2) {
        establish(t, *in);
    } else if (t->head->status >= 200) {
        explain_status(t, &why);
        fail(t, &why);
    }
}

static void lose(struct parent_tunnel *t);

/* The content of a 407 is read and thrown away. */
static void skip_body(struct parent_tunnel *t, struct slice *in)
{
    struct gather *g = NEW(struct gather);
    enum body_result result;

    do {
        g->count = g->bytes = 0;
        result = body_next(&t->body, in, g);
    } while (result == BODY_FULL);
    free(g);
    if (result == BODY_MORE && t->body.bytes <= MAX_REFUSAL)
        return;
    /* Bytes after the answer cannot belong to a request of ours. */
    if (result != BODY_END || in->n > 0) {
        lose(t);
        return;
    }
    t->in_body = false;
    go_on(t);
}

/* Takes the next part of the input. Returns false if there is nothing more to take for now. */
static bool step(struct parent_tunnel *t, struct slice *in)
{
    const struct stream *before = t->stream;
    size_t n = in->n;
    bool was_in_body = t->in_body;

    if (t->in_body)
        skip_body(t, in);
    else
        take_head(t, in);
    return !t->ended && t->stream == before && (in->n != n || t->in_body != was_in_body);
}

static size_t on_data(void *ctx, const char *p, size_t n)
{
    struct parent_tunnel *t = ctx;
    const struct stream *stream = t->stream;
    struct slice in = {p, n};

    t->heard |= n > 0;
    if (n > 0 && !t->knows &&
        /* No CONNECT was sent since, so these bytes cannot be an answer. */
        !t->in_body) {
        lose(t);
        return n;
    }
    while (step(t, &in))
        continue;
    return t->ended || t->stream != stream ? n : n - in.n;
}

/* Is the connection between a 407 and the first byte of the answer to the next CONNECT? */
static bool is_between(const struct parent_tunnel *t)
{
    return t->in_body || !t->knows || (t->is_used && !t->heard);
}

/* The connection has ended. After a 407 a parent proxy may close without a word. Then a new
 * connection will do, unless the login is bound to this one. */
static void lose(struct parent_tunnel *t)
{
    bool bound = t->auth.legs > 1 || (t->auth.legs == 1 && !t->knows);

    if (!is_between(t) || bound || ++t->lost > MAX_LOST) {
        fail_closed(t);
        return;
    }
    t->in_body = false;
    drop_stream(t);
    if (!t->knows)
        timer_start(t->all->loop, &t->deadline, time_left(t));
    go_on(t);
}

static void on_end(void *ctx)
{
    lose(ctx);
}

static void on_broken(void *ctx, const struct failure *why)
{
    (void)why;
    lose(ctx);
}

static const struct stream_handler asking = {
    .on_data = on_data, .on_end = on_end, .on_broken = on_broken};

/* ---- the connection to the parent proxy ---- */

static enum fail same_of_parent(enum fail id)
{
    switch (id) {
    case FAIL_NAME_NOT_FOUND:
    case FAIL_NAME_LOOKUP:
    case FAIL_NAME_TIMEOUT:
        return FAIL_PARENT_NAME;
    case FAIL_CONNECT_REFUSED:
        return FAIL_PARENT_REFUSED;
    case FAIL_CONNECT_UNREACHABLE:
        return FAIL_PARENT_UNREACHABLE;
    case FAIL_CONNECT_TIMEOUT:
        return FAIL_PARENT_TIMEOUT;
    default:
        return id;
    }
}

static void on_dialled(void *ctx, int fd, const struct failure *why)
{
    struct parent_tunnel *t = ctx;
    struct failure explained;

    t->dial = NULL;
    if (fd < 0) {
        failure_set(&explained, same_of_parent(why->id), "The parent proxy %s (%s): %s",
                    t->parent->name, t->parent->where, why->detail.text);
        fail(t, &explained);
        return;
    }
    t->is_used = false;
    t->stream = stream_new_plain(t->all->loop, fd, &asking, t);
    timer_start(t->all->loop, &t->deadline, time_left(t));
    say_connect(t);
}

static void dial(struct parent_tunnel *t)
{
    timer_stop(&t->deadline);
    t->dial = dial_start(t->all->loop, t->all->resolver, t->parent->at.host, t->parent->at.port,
                         time_left(t), on_dialled, t);
    dial_measure(t->dial, t->way);
}

static void on_auth(void *ctx, const struct failure *why)
{
    struct parent_tunnel *t = ctx;

    if (why != NULL) {
        fail(t, why);
        return;
    }
    t->knows = true;
    go_on(t);
}

struct parent_tunnel *parent_tunnel_open(struct upstreams *all, struct parent_proxy *parent,
                                         const struct endpoint *to, struct way_times *way,
                                         parent_tunnel_done *done, void *ctx)
{
    struct parent_tunnel *t = NEW(struct parent_tunnel);

    t->all = all;
    t->parent = parent_proxy_ref(parent);
    t->target = parent_proxy_place(to);
    t->way = way != NULL ? way : &t->unwanted;
    way_times_clear(&t->unwanted);
    t->done = done;
    t->ctx = ctx;
    t->begun = loop_now(all->loop);
    t->begun_us = clock_monotonic_us();
    t->head = head_new((size_t)config_of(t)->max_fields);
    timer_init(&t->deadline, on_deadline, t);
    t->knows = true;
    parent_auth_start(&t->auth, all->loop, t->parent, t->target, on_auth, t);
    dial(t);
    return t;
}
