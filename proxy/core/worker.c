#include "core/worker.h"

#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/mem.h"
#include "core/client.h"
#include "core/origin.h"

/* ---- generations ---- */

struct shared_tenant *shared_tenant_ref(struct shared_tenant *t)
{
    atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
    return t;
}

void shared_tenant_unref(struct shared_tenant *t)
{
    if (atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) == 1)
        free(t);
}

static struct shared_tenant *shared_tenant_new(const struct tenant *t)
{
    struct shared_tenant *s = NEW(struct shared_tenant);

    atomic_init(&s->refs, 1);
    quota_init(&s->upstreams, t->max_upstream);
    atomic_init(&s->waiting, 0);
    overlap_init(&s->overlap);
    return s;
}

/* The tenant of that generation with the same server and identity; -1: there is none. */
static int find_peer(const struct generation *g, const struct tenant *t)
{
    for (size_t i = 0; g != NULL && i < g->config->ntenants; i++)
        if (tenant_is_same_peer(g->config->tenants[i], t))
            return (int)i;
    return -1;
}

struct generation *generation_new(struct config *c, const struct generation *previous)
{
    struct generation *g = NEW(struct generation);

    atomic_init(&g->refs, 1);
    g->config = config_ref(c);
    g->tenants = mem_new(c->ntenants * sizeof(g->tenants[0]));
    for (size_t i = 0; i < c->ntenants; i++) {
        int peer = find_peer(previous, c->tenants[i]);
        g->tenants[i] = peer < 0 ? shared_tenant_new(c->tenants[i])
                                 : shared_tenant_ref(previous->tenants[peer]);
        atomic_store(&g->tenants[i]->upstreams.limit, c->tenants[i]->max_upstream);
    }
    return g;
}

struct generation *generation_ref(struct generation *g)
{
    atomic_fetch_add_explicit(&g->refs, 1, memory_order_relaxed);
    return g;
}

void generation_unref(struct generation *g)
{
    if (g == NULL || atomic_fetch_sub_explicit(&g->refs, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < g->config->ntenants; i++)
        shared_tenant_unref(g->tenants[i]);
    free(g->tenants);
    config_unref(g->config);
    free(g);
}

/* ---- life ---- */

/* Takes over whatever belongs to the generation but not to a tenant. */
static void use_generation(struct worker *w, struct generation *g)
{
    const struct config *c = g->config;
    size_t max_fields = (size_t)c->max_fields;

    w->generation = generation_ref(g);
    w->config = g->config;
    local_leaves_free(w->leaves);
    w->leaves = w->config->local_ca == NULL ? NULL : local_leaves_new(w->config->local_ca);
    w->limits = (struct h1_limits){(size_t)c->max_head, (size_t)c->max_target};
    w->body_limits = (struct body_limits){(size_t)c->max_head, max_fields};
    head_free(w->request_head);
    head_free(w->response_head);
    w->request_head = head_new(max_fields);
    w->response_head = head_new(max_fields);
    resolver_set_cache(w->resolver, c->resolve_cache);
}

struct worker *worker_new(struct generation *g, struct shared *s)
{
    struct worker *w = NEW(struct worker);

    w->loop = loop_new();
    w->shared = s;
    w->resolver = resolver_new(w->loop, g->config->resolve_cache);
    w->peers = peer_asker_new();
    list_init(&w->clients);
    list_init(&w->retired);
    use_generation(w, g);
    if (getrandom(&w->id_prefix, sizeof(w->id_prefix), 0) < 0)
        w->id_prefix = (uintptr_t)w;
    w->origins = mem_new(g->config->ntenants * sizeof(struct origin *));
    for (size_t i = 0; i < g->config->ntenants; i++)
        w->origins[i] = origin_new(w, g, i);
    return w;
}

/* Takes the origin that leads to the same peer out of those of the generation before. */
static struct origin *take_origin(struct origin **origins, const struct generation *g,
                                  const struct tenant *t)
{
    int i = find_peer(g, t);
    struct origin *o = i < 0 ? NULL : origins[i];

    if (o != NULL)
        origins[i] = NULL;
    return o;
}

void worker_adopt(struct worker *w, struct generation *g)
{
    struct generation *old = w->generation;
    struct origin **origins = w->origins;
    size_t n = g->config->ntenants;

    if (w->ended)
        return;
    use_generation(w, g);
    w->origins = mem_new(n * sizeof(struct origin *));
    for (size_t i = 0; i < n; i++) {
        struct origin *o = take_origin(origins, old, g->config->tenants[i]);
        if (o != NULL)
            origin_adopt(o, g, i);
        w->origins[i] = o != NULL ? o : origin_new(w, g, i);
    }
    for (size_t i = 0; i < old->config->ntenants; i++)
        if (origins[i] != NULL)
            origin_retire(origins[i]);
    free(origins);
    generation_unref(old);
}

void worker_end(struct worker *w)
{
    w->ended = w->drained = true;
    list_each (node, &w->clients)
        client_kill(client_of_node(node));
    loop_turn(w->loop, false); /* what was posted is taken, so that nothing of it is lost */
    for (size_t i = 0; i < w->config->ntenants; i++)
        origin_retire(w->origins[i]);
    loop_turn(w->loop, false); /* the dead are buried */
}

void worker_free(struct worker *w)
{
    free(w->origins);
    local_leaves_free(w->leaves);
    resolver_free(w->resolver);
    peer_asker_free(w->peers);
    loop_free(w->loop);
    head_free(w->request_head);
    head_free(w->response_head);
    buf_free(&w->scratch);
    buf_free(&w->record_room);
    generation_unref(w->generation);
    free(w);
}

void worker_check_drained(struct worker *w)
{
    if (!w->draining || w->drained)
        return;
    list_each (node, &w->clients)
        if (client_is_served(client_of_node(node)))
            return;
    w->drained = true;
    w->shared->on_drained(w->shared->drained_ctx, w);
}

void worker_drain(struct worker *w)
{
    w->draining = true;
    list_each (node, &w->clients)
        client_drain(client_of_node(node));
    worker_check_drained(w);
}

void worker_report(struct worker *w, struct record *r, int64_t begun_us, int64_t first_us)
{
    r->total_us = clock_monotonic_us() - begun_us;
    r->first_us = first_us == 0 ? -1 : first_us - begun_us;
    r->begun_wall_us = clock_wall_us() - r->total_us;
    w->record_room.n = 0;
    r->room = &w->record_room;
    w->shared->on_record(w->shared->record_ctx, r);
}

void worker_new_id(struct worker *w, char out[REQUEST_ID_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    uint64_t id = w->id_prefix + w->next_id++ * UINT64_C(0x9e3779b97f4a7c15); /* never repeats */

    for (int i = 15; i >= 0; i--, id >>= 4)
        out[i] = hex[id & 15];
    out[16] = '\0';
}
