#include "exchange/tunnel.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "caller/connect.h"
#include "exchange/exchanges.h"
#include "http/mask.h"
#include "net/dial.h"
#include "upstream/parent_tunnel.h"

struct tunnel {
    struct client *client;
    struct exchanges *all;
    struct dial *dial;         /* NULL: not dialling */
    struct parent_tunnel *way; /* NULL: no CONNECT to a parent proxy under way */
    struct stream *far;        /* NULL: not connected (yet) */
    struct timer idle;
    bool over;
    bool up_ended, down_ended; /* the caller, the far side has sent its last byte */
    /* The far side has stopped reading; what it sent may still come. */
    bool up_dead;

    /* for the record */
    char id[REQUEST_ID_SIZE];
    char *target;
    int status;
    uint64_t up, down;
    int64_t begun_us, first_us;
    struct failure *failure; /* NULL: none */
};

/* ---- the end ---- */

static void release(void *arg)
{
    struct tunnel *t = arg;

    free(t->target);
    free(t->failure);
    free(t);
}

static void report(const struct tunnel *t)
{
    struct record r = {.id = t->id,
                       .caller = client_caller(t->client),
                       .method = SLICE("CONNECT"),
                       .path = slice_of(t->target),
                       .status = t->status,
                       .bytes_in = t->up,
                       .bytes_out = t->down,
                       .failure = t->failure};

    clients_report(t->all->clients, &r, t->begun_us, t->first_us);
}

static void note_failure(struct tunnel *t, const struct failure *why)
{
    t->failure = NEW(struct failure);
    *t->failure = *why;
}

/* Releases everything except the client. */
static void end(struct tunnel *t, enum stream_close_mode mode)
{
    t->over = true;
    timer_stop(&t->idle);
    if (t->dial != NULL)
        dial_cancel(t->dial);
    if (t->way != NULL)
        parent_tunnel_cancel(t->way);
    if (t->far != NULL)
        stream_close(t->far, mode);
    report(t);
    loop_bury(t->all->loop, t, release);
}

/* Both sides see an end that is not in order. */
static void cut_off(struct tunnel *t, const struct failure *why)
{
    struct client *c = t->client;

    note_failure(t, why);
    end(t, STREAM_RESET);
    client_cut_off(c, true);
}

/* Ends when both sides have sent everything. */
static void end_if_complete(struct tunnel *t)
{
    struct client *c = t->client;

    if (!t->down_ended || (!t->up_ended && !t->up_dead) || stream_queued(t->far) > 0 ||
        stream_queued(client_stream(c)) > 0)
        return;
    end(t, STREAM_CLOSE);
    client_cut_off(c, false);
}

static void on_idle(void *ctx)
{
    struct tunnel *t = ctx;
    struct failure why;
    bool up = stream_progressed(t->far), down = stream_progressed(client_stream(t->client));

    if (up || down) { /* one side is slow, but reads */
        timer_start(t->all->loop, &t->idle, t->all->clients->config->answer_timeout);
        return;
    }
    failure_plain(&why, FAIL_TUNNEL_IDLE);
    cut_off(t, &why);
}

static void note_life(struct tunnel *t)
{
    timer_start(t->all->loop, &t->idle, t->all->clients->config->answer_timeout);
}

/* ---- from the caller ---- */

/* Passes bytes on. The source is paused while the other side does not read them. */
static void relay(struct stream *from, struct stream *to, const char *p, size_t n)
{
    if (stream_write_bytes(to, p, n))
        return;
    stream_pause(from);
    stream_read_less(from);
}

static size_t on_caller_data(void *ctx, struct slice bytes)
{
    struct tunnel *t = ctx;

    if (t->far == NULL) {
        stream_pause(client_stream(t->client));
        return 0;
    }
    if (t->up_dead)
        return bytes.n;
    note_life(t);
    t->up += bytes.n;
    relay(client_stream(t->client), t->far, bytes.p, bytes.n);
    return bytes.n;
}

static void on_caller_drained(void *ctx)
{
    struct tunnel *t = ctx;

    note_life(t);
    stream_resume(t->far);
    end_if_complete(t);
}

static void on_caller_end(void *ctx)
{
    struct tunnel *t = ctx;

    t->up_ended = true;
    if (t->far == NULL)
        return;
    note_life(t);
    stream_finish(t->far);
    end_if_complete(t);
}

static void on_caller_gone(void *ctx)
{
    struct tunnel *t = ctx;
    struct failure why;

    failure_plain(&why, t->all->clients->ended ? FAIL_SHUTDOWN : FAIL_CALLER_GONE);
    note_failure(t, &why);
    end(t, STREAM_RESET);
}

static const struct client_job job = {on_caller_data, on_caller_drained, on_caller_end,
                                      on_caller_gone};

/* ---- from the far side ---- */

static size_t on_far_data(void *ctx, const char *p, size_t n)
{
    struct tunnel *t = ctx;

    note_life(t);
    t->down += n;
    relay(t->far, client_stream(t->client), p, n);
    return n;
}

static void on_far_end(void *ctx)
{
    struct tunnel *t = ctx;

    t->down_ended = true;
    note_life(t);
    stream_finish(client_stream(t->client));
    end_if_complete(t);
}

static void on_far_drained(void *ctx)
{
    struct tunnel *t = ctx;

    note_life(t);
    stream_resume(client_stream(t->client));
    end_if_complete(t);
}

/* A side that has sent everything may close before its last bytes are answered. */
static void on_far_broken(void *ctx, const struct failure *why)
{
    struct tunnel *t = ctx;

    t->up_dead = true;
    if (!t->down_ended)
        cut_off(t, why);
    else
        end_if_complete(t);
}

static void on_far_write_broken(void *ctx)
{
    struct tunnel *t = ctx;

    t->up_dead = true;
    stream_resume(client_stream(t->client));
    end_if_complete(t);
}

static const struct stream_handler far_handler = {.on_data = on_far_data,
                                                  .on_end = on_far_end,
                                                  .on_drained = on_far_drained,
                                                  .on_broken = on_far_broken,
                                                  .on_write_broken = on_far_write_broken};

/* ---- the beginning ---- */

static void fail(struct tunnel *t, const struct failure *why)
{
    struct client *c = t->client;

    t->first_us = clock_monotonic_us();
    t->status = client_refuse(c, why, &(struct client_refusal){.id = t->id});
    note_failure(t, why);
    end(t, STREAM_RESET);
    client_done(c, false);
}

static void establish(struct tunnel *t, struct stream *far)
{
    t->status = 200;
    t->first_us = clock_monotonic_us();
    t->far = far;
    stream_notice_vanishing(t->far, t->all->clients->config->dead_peer_timeout);
    note_life(t);
    (void)stream_write_bytes(client_stream(t->client), CONNECT_ESTABLISHED,
                             sizeof(CONNECT_ESTABLISHED) - 1);
    stream_resume(client_stream(t->client));
    if (t->up_ended)
        stream_finish(t->far);
}

static void on_dialled(void *ctx, int fd, const struct failure *why)
{
    struct tunnel *t = ctx;

    t->dial = NULL;
    if (fd < 0)
        fail(t, why);
    else
        establish(t, stream_new_plain(t->all->loop, fd, &far_handler, t));
}

static void on_way(void *ctx, struct stream *s, struct slice rest, const struct failure *why)
{
    struct tunnel *t = ctx;

    t->way = NULL;
    if (s == NULL) {
        fail(t, why);
        return;
    }
    stream_set_handler(s, &far_handler, t);
    establish(t, s);
    if (rest.n > 0)
        (void)on_far_data(t, rest.p, rest.n);
}

static bool is_public(const struct address *a)
{
    return !address_is_private(a);
}

void tunnel_start(struct client *c, const struct client_request *r, const struct endpoint *to)
{
    struct tunnel *t = NEW(struct tunnel);
    struct slice target = mask_target(r->head->target);
    struct parent_proxy *parent = config_parent_of(client_all(c)->config, to);

    t->client = c;
    t->all = client_all(c)->services;
    t->begun_us = r->begun_us;
    t->target = mem_copy_bytes(target.p, target.n);
    clients_new_id(t->all->clients, t->id);
    timer_init(&t->idle, on_idle, t);
    client_set_job(c, &job, t);
    if (parent != NULL) {
        t->way = parent_tunnel_open(t->all->upstreams, parent, to, NULL, on_way, t);
        return;
    }
    t->dial = dial_start(t->all->loop, t->all->upstreams->resolver, to->host, to->port,
                         t->all->clients->config->connect_timeout, on_dialled, t);
    if (!authority_is_address(slice_of(to->host)))
        dial_confine(t->dial, is_public);
}
