#include "upstream/origin.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "policy/validity.h"
#include "upstream/site.h"
#include "upstream/pool.h"
#include "upstream/upstream.h"

enum { STREAK_MAX = 16 }; /* places kept in a row while other workers wait: is_others_turn() */

struct origin {
    struct site site;
    struct list node; /* in upstreams.retired */
    bool retired;
    struct pool pool;
    int pooled;          /* the identity of the connections in the pool */
    struct list waiting; /* acquires for which no connection is being made */
    int nwaiting;
    int streak; /* places that this worker kept while requests of other workers waited */
};

static void serve_waiting(struct origin *o);
static void serve_first(struct origin *o);

static struct origin *origin_of(struct site *s)
{
    return (struct origin *)s; /* site is the first member */
}

static void free_origin(void *arg)
{
    struct origin *o = arg;

    site_free(&o->site);
    free(o);
}

static void release(struct site *s)
{
    struct origin *o = origin_of(s);

    list_remove(&o->node);
    loop_bury(s->all->loop, o, free_origin);
}

static void on_place_freed(struct site *s);

struct origin *origin_new(struct upstreams *all, struct generation *g, size_t tenant)
{
    struct origin *o = NEW(struct origin);

    site_init(&o->site, all, g, tenant);
    o->site.place_freed = on_place_freed;
    o->site.release = release;
    list_init(&o->node);
    pool_init(&o->pool);
    list_init(&o->waiting);
    return o;
}

void origin_adopt(struct origin *o, struct generation *g, size_t tenant)
{
    site_adopt(&o->site, g, tenant);
    serve_waiting(o); /* max-upstream may have changed */
    while (quota_is_exceeded(&o->site.shared->places) &&
           pool_drop_one(&o->pool, "there are more than max-upstream now"))
        continue;
}

struct origin *origin_ref(struct origin *o)
{
    (void)site_ref(&o->site);
    return o;
}

void origin_unref(struct origin *o)
{
    site_unref(&o->site);
}

void origin_retire(struct origin *o)
{
    o->retired = true;
    list_append(&o->site.all->retired, &o->node);
    pool_clear(&o->pool, "its server or identity is not configured any more");
    origin_unref(o);
}

/* ---- other workers ---- */

static bool others_wait(const struct origin *o)
{
    return atomic_load(&o->site.shared->waiting) > o->nwaiting;
}

/* Calls f for each origin of the worker that has these counts, as long as f returns true. */
static void each_of(struct upstreams *u, const struct shared_tenant *t,
                    bool (*f)(void *ctx, struct origin *o), void *ctx)
{
    for (size_t i = 0; i < u->generation->config->ntenants; i++)
        if (u->origins[i]->site.shared == t && !f(ctx, u->origins[i]))
            return;
    list_each (node, &u->retired) {
        struct origin *o = list_entry(node, struct origin, node);
        if (o->site.shared == t && !f(ctx, o))
            return;
    }
}

struct poke {
    struct upstreams *to;
    struct shared_tenant *tenant;
};

static bool poke(void *ctx, struct origin *o)
{
    (void)ctx;
    serve_waiting(o);
    if (list_empty(&o->waiting) && others_wait(o))
        (void)pool_drop_one(&o->pool, "its place is for a request of another worker");
    return true;
}

/* Another worker has a request waiting, or has freed a place. */
static void on_poke(void *arg)
{
    struct poke *p = arg;

    if (!p->to->ended)
        each_of(p->to, p->tenant, poke, NULL);
    shared_tenant_unref(p->tenant);
    free(p);
}

static void poke_others(const struct upstreams *own, struct shared_tenant *t)
{
    for (size_t i = 0; !own->ended && i < own->nall; i++) {
        if (own->all[i] == own)
            continue;
        struct poke *p = NEW(struct poke);
        *p = (struct poke){own->all[i], shared_tenant_ref(t)};
        loop_post(p->to->loop, on_poke, p);
    }
}

/* A place that is taken and offered to the workers in turn; the worker that offers it is the last.
 * So no other worker can take the place before its turn, however long the next one needs to wake
 * up. */
struct offer {
    struct upstreams *to;
    struct shared_tenant *tenant;
    size_t left; /* workers to ask after `to` */
};

static void on_offer(void *arg);

static void offer_to_next(struct offer *f)
{
    const struct upstreams *from = f->to;
    size_t i = 0;

    while (from->all[i] != from)
        i++;
    f->to = from->all[(i + 1) % from->nall];
    f->left--;
    loop_post(f->to->loop, on_offer, f);
}

static bool take_offer(void *ctx, struct origin *o)
{
    bool *taken = ctx;

    if (list_empty(&o->waiting))
        return true;
    *taken = true;
    serve_first(o);
    serve_waiting(o); /* the first request may not have needed the place */
    return false;
}

/* A worker whose requests began to wait after it was asked has seen no free place, so the others
 * are told. */
static void give_up_place(const struct upstreams *own, struct shared_tenant *t)
{
    quota_give(&t->places);
    if (atomic_load(&t->waiting) > 0)
        poke_others(own, t);
}

static void on_offer(void *arg)
{
    struct offer *f = arg;
    bool taken = false;
    bool ended = f->to->ended; /* then the next worker may have ended, too */

    if (!ended)
        each_of(f->to, f->tenant, take_offer, &taken);
    if (!taken && !ended && f->left > 0) {
        offer_to_next(f);
        return;
    }
    if (!taken)
        give_up_place(f->to, f->tenant);
    shared_tenant_unref(f->tenant);
    free(f);
}

static void offer_place(struct origin *o)
{
    struct offer *f = NEW(struct offer);

    o->streak = 0;
    *f = (struct offer){o->site.all, shared_tenant_ref(o->site.shared), o->site.all->nall};
    offer_to_next(f);
}

/* If requests of other workers wait too, a place is given away after STREAK_MAX places. Otherwise
 * they would starve beside a worker that always has requests waiting. */
static bool is_others_turn(struct origin *o)
{
    if (!others_wait(o))
        o->streak = 0;
    return o->streak >= STREAK_MAX;
}

/* Connections made under another identity than this one must not serve new requests: closes them.
 */
static void keep_only(struct origin *o, int identity)
{
    if (o->pooled != identity)
        pool_clear(&o->pool, "another certificate is in use now");
    o->pooled = identity;
}

/* ---- waiting ---- */

static void leave_queue(struct acquire *a)
{
    if (!a->queued)
        return;
    a->queued = false;
    a->way.queue = clock_monotonic_us() - a->queued_us + a->waited_us;
    list_remove(&a->node);
    a->origin->nwaiting--;
    timer_stop(&a->timer);
    quota_give(a->origin->site.all->queue);
    atomic_fetch_sub(&a->origin->site.shared->waiting, 1);
}

static void on_opened(void *ctx, struct upstream *u, const struct failure *why)
{
    struct acquire *a = ctx;

    a->opening = NULL;
    a->done(a->ctx, u, why);
}

static void choose_identity(struct origin *o, struct acquire *a)
{
    if (a->kind != ACQUIRE_UNDER)
        a->identity = overlap_in_use(&o->site.shared->overlap);
}

static void open_for(struct origin *o, struct acquire *a)
{
    choose_identity(o, a);
    a->opening = upstream_open(&o->site, a->identity, &a->way, on_opened, a);
}

/* Uses a place that is already taken for the request that waits longest. */
static void serve_first(struct origin *o)
{
    struct acquire *a = list_entry(list_first(&o->waiting), struct acquire, node);
    struct failure why;

    leave_queue(a);
    o->streak++;
    choose_identity(o, a);
    if (identity_is_presentable(o->site.tenant, a->identity, &why)) {
        open_for(o, a);
    } else { /* the certificate has expired while the request waited */
        give_up_place(o->site.all, o->site.shared);
        a->done(a->ctx, NULL, &why);
    }
}

static void serve_waiting(struct origin *o)
{
    while (!list_empty(&o->waiting) && quota_take(&o->site.shared->places))
        serve_first(o);
}

static void on_place_freed(struct site *s)
{
    struct origin *o = origin_of(s);
    struct quota *places = &o->site.shared->places;

    if (o->site.all->ended) {
        quota_give(places);
        return;
    }
    if ((list_empty(&o->waiting) || is_others_turn(o)) && others_wait(o) &&
        !quota_is_exceeded(places)) {
        offer_place(o);
        return;
    }
    quota_give(places);
    serve_waiting(o);
    if (list_empty(&o->waiting) &&
        others_wait(o)) /* they came in between, or there were too many */
        poke_others(o->site.all, o->site.shared);
}

static void on_queue_timeout(void *ctx)
{
    struct acquire *a = ctx;
    struct failure why;

    leave_queue(a);
    failure_set(&why, FAIL_QUEUE_TIMEOUT,
                "All %lld connections to %s were busy, and none became free in time.",
                (long long)a->origin->site.tenant->max_upstream, a->origin->site.tenant->peer);
    a->done(a->ctx, NULL, &why);
}

/* One queue-timeout covers the wait at a gate and the wait for a connection. */
static int64_t time_left(const struct origin *o, const struct acquire *a)
{
    int64_t left = o->site.all->generation->config->queue_timeout - a->waited_us / 1000;

    return left > 0 ? left : 1;
}

static enum acquire_result enqueue(struct origin *o, struct acquire *a, struct failure *why)
{
    if (!quota_take(o->site.all->queue)) {
        failure_plain(why, FAIL_QUEUE_FULL);
        return ACQUIRE_REFUSED;
    }
    a->queued = true;
    a->queued_us = clock_monotonic_us();
    list_append(&o->waiting, &a->node);
    o->nwaiting++;
    timer_init(&a->timer, on_queue_timeout, a);
    timer_start(o->site.all->loop, &a->timer, time_left(o, a));
    atomic_fetch_add(&o->site.shared->waiting, 1);
    /* Another worker may have freed a place just now and seen nobody waiting. */
    serve_waiting(o);
    if (a->queued)
        poke_others(o->site.all, o->site.shared);
    return ACQUIRE_WAITS;
}

static struct upstream *take_pooled(struct origin *o)
{
    keep_only(o, overlap_in_use(&o->site.shared->overlap));
    return pool_take(&o->pool);
}

enum acquire_result origin_acquire(struct origin *o, struct acquire *a, enum acquire_kind kind,
                                   struct upstream **u, struct failure *why)
{
    a->origin = o;
    a->kind = kind;
    way_times_clear(&a->way);
    if (a->waited_us > 0)
        a->way.queue = a->waited_us;
    if (kind == ACQUIRE_ANY && (*u = take_pooled(o)) != NULL)
        return ACQUIRED;
    bool place = quota_take(&o->site.shared->places);
    if (!place && pool_drop_one(&o->pool, "its place is for a new one"))
        place = quota_take(&o->site.shared->places);
    if (!place)
        return enqueue(o, a, why);
    open_for(o, a);
    return ACQUIRE_WAITS;
}

void origin_cancel(struct acquire *a)
{
    if (a->queued)
        leave_queue(a);
    if (a->opening != NULL) {
        upstream_close(a->opening, STREAM_ABORT, "its request is gone");
        a->opening = NULL;
    }
}

/* The request that waits longest gets the connection, unless it needs a new one. */
static bool hand_over(struct origin *o, struct upstream *u)
{
    struct acquire *a = list_entry(list_first(&o->waiting), struct acquire, node);

    if (a->kind != ACQUIRE_ANY)
        return false;
    leave_queue(a);
    o->streak++;
    a->done(a->ctx, u, NULL);
    return true;
}

/* The reason why the connection cannot be kept; NULL: it can be kept. */
static const char *reason_to_close(struct origin *o, const struct upstream *u, int64_t idle_ms)
{
    bool waited_for = !list_empty(&o->waiting);

    if (o->retired)
        return "its server or identity is not configured any more";
    if (idle_ms <= 0)
        return "it must not rest (pool-idle, or the server's Keep-Alive)";
    if (upstream_is_too_old(u))
        return "it is too old (pool-age)";
    if (upstream_identity(u) != overlap_in_use(&o->site.shared->overlap))
        return "another certificate is in use now";
    if (quota_is_exceeded(&o->site.shared->places))
        return "there are more than max-upstream now";
    if (waited_for && is_others_turn(o))
        return "its place is for a request of another worker";
    if (waited_for && !stream_is_alive(upstream_stream(u)))
        return POOL_NOT_SILENT;
    return NULL;
}

void origin_give_back(struct origin *o, struct upstream *u, int64_t idle_ms)
{
    const char *reason = reason_to_close(o, u, idle_ms);

    if (reason != NULL) {
        upstream_close(u, STREAM_CLOSE, reason);
        return;
    }
    if (!list_empty(&o->waiting) && hand_over(o, u))
        return;
    if (!list_empty(&o->waiting) || others_wait(o)) {
        upstream_close(u, STREAM_CLOSE, "its place is for a request that waits");
        return;
    }
    LOG_TRACE("connection %llu to %s rests", upstream_number(u), o->site.tenant->name);
    keep_only(o, upstream_identity(u));
    pool_give(&o->pool, u, idle_ms);
}

struct overlap *origin_overlap(const struct origin *o)
{
    return &o->site.shared->overlap;
}
