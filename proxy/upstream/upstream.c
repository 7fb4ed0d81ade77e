#include "upstream/upstream.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/dial.h"
#include "upstream/evidence.h"
#include "upstream/parent_tunnel.h"

enum { SHRINK_MS = 1000 }; /* after so long at rest the TLS buffers are freed */

enum upstream_state {
    UP_DIALING,
    UP_SHAKING, /* TLS handshake */
    UP_BUSY,
    UP_IDLE,
    UP_CLOSED,
};

static const unsigned allowed[] = {
    [UP_DIALING] = BIT(UP_SHAKING) | BIT(UP_CLOSED),
    [UP_SHAKING] = BIT(UP_BUSY) | BIT(UP_CLOSED),
    [UP_BUSY] = BIT(UP_IDLE) | BIT(UP_CLOSED),
    [UP_IDLE] = BIT(UP_BUSY) | BIT(UP_CLOSED),
    [UP_CLOSED] = 0,
};

struct upstream {
    struct list node; /* in the pool's list */
    struct site *site;
    int identity;
    enum upstream_state state;
    unsigned long long number; /* counts the connections of its worker */
    struct dial *dial;         /* dial or tunnel, while it is being made */
    struct parent_tunnel *tunnel;
    struct stream *stream;
    /* The handshake uses it, while a reload may take it from the tenant. */
    struct tls_client *tls;
    struct tls_report report;
    struct timer timer; /* for the handshake, then for the idle time */
    upstream_opened *opened;
    struct way_times *way; /* until `opened` is called: the owner's times */
    int64_t dialed_us;
    void *ctx;
    int64_t born;
    int64_t idle_left;  /* idle time that remains after SHRINK_MS */
    unsigned exchanges; /* number of exchanges that used it */
};

static void set_state(struct upstream *u, enum upstream_state to)
{
    assert((allowed[u->state] & BIT(to)) != 0);
    if (u->state == UP_IDLE || to == UP_IDLE)
        site_count_idle(u->site, to == UP_IDLE ? 1 : -1);
    u->state = to;
}

static void release(void *arg)
{
    struct upstream *u = arg;

    tls_client_unref(u->tls);
    free(u);
}

void upstream_close(struct upstream *u, enum stream_close_mode mode, const char *reason)
{
    if (u->state == UP_CLOSED)
        return;
    LOG_TRACE("connection %llu to %s is closed: %s", u->number, u->site->tenant->name, reason);
    set_state(u, UP_CLOSED);
    list_remove(&u->node);
    timer_stop(&u->timer);
    if (u->dial != NULL)
        dial_cancel(u->dial);
    if (u->tunnel != NULL)
        parent_tunnel_cancel(u->tunnel);
    if (u->stream != NULL)
        stream_close(u->stream, mode);
    loop_bury(u->site->all->loop, u, release);
    u->site->place_freed(u->site);
    site_unref(u->site);
}

void upstream_collect(const struct upstream *u, struct cause_evidence *out)
{
    evidence_collect(u->site->tenant, &u->report, u->stream == NULL ? NULL : stream_ssl(u->stream),
                     out);
}

void upstream_explain(const struct upstream *u, struct failure *why)
{
    struct cause_evidence e;

    upstream_collect(u, &e);
    evidence_explain(u->site->tenant, &e, why);
}

static void fail_opening(struct upstream *u, const struct failure *why)
{
    upstream_opened *opened = u->opened;
    void *ctx = u->ctx;
    struct failure explained = *why;

    if (u->state == UP_SHAKING)
        u->way->tls = clock_monotonic_us() - u->dialed_us;
    upstream_explain(u, &explained);
    upstream_close(u, STREAM_ABORT, explained.detail.text);
    opened(ctx, NULL, &explained);
}

/* ---- the handshake ---- */

/* A server that never asked for the certificate is the wrong server, or somebody between intercepts
 * TLS. */
static bool check_request(const struct upstream *u, struct failure *why)
{
    const struct tenant *t = u->site->tenant;

    if (!t->require_request || tls_report_requested(&u->report, stream_ssl(u->stream)))
        return true;
    failure_set(why, FAIL_CERTIFICATE_NOT_REQUESTED, "%s never asked for the client certificate.",
                t->peer);
    return false;
}

/* Bytes that came before any request would be read as the answer to the first one. */
static bool check_silence(const struct upstream *u, struct failure *why)
{
    if (!stream_spoke_first(u->stream))
        return true;
    failure_set(why, FAIL_ANSWER_MALFORMED, "%s answered before it was asked anything.",
                u->site->tenant->peer);
    return false;
}

static void on_ready(void *ctx)
{
    struct upstream *u = ctx;
    struct failure why;

    timer_stop(&u->timer);
    u->way->tls = clock_monotonic_us() - u->dialed_us;
    if (!check_request(u, &why) || !check_silence(u, &why)) {
        fail_opening(u, &why);
        return;
    }
    u->way->resumed = SSL_session_reused(stream_ssl(u->stream));
    set_state(u, UP_BUSY);
    u->opened(u->ctx, u, NULL);
}

static void on_broken(void *ctx, const struct failure *why)
{
    struct upstream *u = ctx;
    struct failure reset;

    if (why->id != FAIL_UPSTREAM_CLOSED) {
        fail_opening(u, why);
        return;
    }
    failure_set(&reset, FAIL_TLS, "%s broke off the TLS handshake: %s", u->site->tenant->peer,
                why->detail.text);
    fail_opening(u, &reset);
}

static void on_end(void *ctx)
{
    struct upstream *u = ctx;
    struct failure why;

    failure_set(&why, FAIL_TLS, "%s ended the connection during the TLS handshake.",
                u->site->tenant->peer);
    fail_opening(u, &why);
}

static size_t on_data(void *ctx, const char *p, size_t n)
{
    (void)ctx;
    (void)p;
    (void)n;
    return 0; /* the bytes stay for the connection's first exchange */
}

static const struct stream_handler shaking = {
    .on_ready = on_ready, .on_data = on_data, .on_end = on_end, .on_broken = on_broken};

static SSL *begin_shaking(struct upstream *u)
{
    const struct upstreams *all = u->site->all;

    set_state(u, UP_SHAKING);
    u->dialed_us = clock_monotonic_us();
    timer_start(all->loop, &u->timer, all->generation->config->handshake_timeout);
    u->tls = tls_client_ref(u->site->tenant->identities[u->identity].tls);
    return tls_client_connect(u->tls, &u->report);
}

static void on_dialed(void *ctx, int fd, const struct failure *why)
{
    struct upstream *u = ctx;
    const struct upstreams *all = u->site->all;

    u->dial = NULL;
    if (fd < 0) {
        fail_opening(u, why);
        return;
    }
    u->stream = stream_new_tls(all->loop, fd, begin_shaking(u), u->site->tenant->peer, &shaking, u);
    stream_notice_vanishing(u->stream, all->generation->config->dead_peer_timeout);
}

/* Like on_dialed(), but the connection leads through a parent proxy. */
static void on_tunnel(void *ctx, struct stream *s, struct slice rest, const struct failure *why)
{
    struct upstream *u = ctx;

    u->tunnel = NULL;
    if (s == NULL) {
        fail_opening(u, why);
        return;
    }
    u->stream = s;
    stream_set_handler(s, &shaking, u);
    stream_start_tls(s, begin_shaking(u), u->site->tenant->peer, rest);
    stream_notice_vanishing(s, u->site->all->generation->config->dead_peer_timeout);
}

static void begin(struct upstream *u)
{
    const struct upstreams *all = u->site->all;
    const struct tenant *t = u->site->tenant;
    const struct endpoint *to = t->connect_to.host != NULL ? &t->connect_to : &t->server;

    if (t->parent != NULL) {
        u->tunnel = parent_tunnel_open(u->site->all, t->parent, to, u->way, on_tunnel, u);
        return;
    }
    u->dial = dial_start(all->loop, all->resolver, to->host, to->port,
                         all->generation->config->connect_timeout, on_dialed, u);
    dial_measure(u->dial, u->way);
}

/* At the first expiry (after SHRINK_MS) the buffers are freed; at the second the connection is
 * closed. */
static void on_idle_expiry(struct upstream *u)
{
    const struct upstreams *all = u->site->all;

    if (u->idle_left <= 0) {
        upstream_close(u, STREAM_CLOSE, "it has rested long enough (pool-idle)");
        return;
    }
    stream_shrink(u->stream);
    timer_start(all->loop, &u->timer, u->idle_left);
    u->idle_left = 0;
}

static void on_expiry(void *ctx)
{
    struct upstream *u = ctx;
    struct failure why;

    if (u->state == UP_IDLE) {
        on_idle_expiry(u);
        return;
    }
    failure_set(&why, FAIL_HANDSHAKE_TIMEOUT, "%s did not finish the TLS handshake in time.",
                u->site->tenant->peer);
    fail_opening(u, &why);
}

struct upstream *upstream_open(struct site *s, int identity, struct way_times *way,
                               upstream_opened *opened, void *ctx)
{
    struct upstream *u = NEW(struct upstream);
    const struct upstreams *all = s->all;
    const struct tenant *t = s->tenant;

    list_init(&u->node);
    u->site = site_ref(s);
    u->number = ++s->all->made;
    u->opened = opened;
    u->way = way;
    u->ctx = ctx;
    u->identity = identity;
    u->report.sessions = s->sessions[identity];
    u->born = loop_now(all->loop);
    timer_init(&u->timer, on_expiry, u);
    LOG_TRACE("connection %llu to %s is being made, with its %s", u->number, t->name,
              identity_title(identity));
    begin(u);
    return u;
}

/* ---- idle ---- */

static size_t idle_data(void *ctx, const char *p, size_t n)
{
    (void)p;
    upstream_close(ctx, STREAM_ABORT, "the server has answered what it was not asked");
    return n;
}

static void idle_end(void *ctx)
{
    upstream_close(ctx, STREAM_CLOSE, "the server has closed it at rest");
}

static void idle_broken(void *ctx, const struct failure *why)
{
    upstream_close(ctx, STREAM_ABORT, why->detail.text);
}

static const struct stream_handler idle = {
    .on_data = idle_data, .on_end = idle_end, .on_broken = idle_broken};

void upstream_rest(struct upstream *u, int64_t idle_ms)
{
    const struct upstreams *all = u->site->all;

    set_state(u, UP_IDLE);
    stream_set_handler(u->stream, &idle, u);
    stream_resume(u->stream);
    stream_rest(u->stream);
    u->idle_left = idle_ms - SHRINK_MS;
    timer_start(all->loop, &u->timer, u->idle_left > 0 ? SHRINK_MS : idle_ms);
}

void upstream_use(struct upstream *u, const struct stream_handler *handler, void *ctx)
{
    if (u->state == UP_IDLE)
        set_state(u, UP_BUSY);
    timer_stop(&u->timer);
    stream_wake(u->stream);
    u->exchanges++;
    stream_set_handler(u->stream, handler, ctx);
    stream_resume(u->stream); /* the exchange before may have paused it */
}

struct stream *upstream_stream(const struct upstream *u)
{
    return u->stream;
}

unsigned long long upstream_number(const struct upstream *u)
{
    return u->number;
}

int upstream_identity(const struct upstream *u)
{
    return u->identity;
}

const char *upstream_tls(const struct upstream *u)
{
    return SSL_get_version(stream_ssl(u->stream));
}

bool upstream_is_reused(const struct upstream *u)
{
    return u->exchanges > 1;
}

bool upstream_is_too_old(const struct upstream *u)
{
    const struct upstreams *all = u->site->all;

    return loop_now(all->loop) - u->born > all->generation->config->pool_age;
}

struct list *upstream_node(struct upstream *u)
{
    return &u->node;
}

struct upstream *upstream_of_node(struct list *node)
{
    return list_entry(node, struct upstream, node);
}
