#include "upstream/generation.h"

#include <stdlib.h>

#include "base/mem.h"

struct shared_tenant *shared_tenant_ref(struct shared_tenant *t)
{
    atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
    return t;
}

void shared_tenant_unref(struct shared_tenant *t)
{
    if (atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) > 1)
        return;
    for (struct idle_count *i = atomic_load(&t->idle), *next; i != NULL; i = next) {
        next = i->next;
        free(i);
    }
    free(t);
}

struct idle_count *shared_tenant_count_idle(struct shared_tenant *t)
{
    struct idle_count *i = NEW(struct idle_count);

    i->next = atomic_load(&t->idle);
    while (!atomic_compare_exchange_weak(&t->idle, &i->next, i))
        continue;
    return i;
}

int shared_tenant_idle(const struct shared_tenant *t)
{
    int sum = 0;

    for (const struct idle_count *i = atomic_load(&t->idle); i != NULL; i = i->next)
        sum += atomic_load_explicit(&i->n, memory_order_relaxed);
    return sum;
}

static struct shared_tenant *shared_tenant_new(const struct tenant *t)
{
    struct shared_tenant *s = NEW(struct shared_tenant);

    atomic_init(&s->refs, 1);
    quota_init(&s->places, t->max_upstream);
    atomic_init(&s->waiting, 0);
    overlap_init(&s->overlap);
    atomic_init(&s->idle, NULL);
    return s;
}

int generation_find_peer(const struct generation *g, const struct tenant *t)
{
    for (size_t i = 0; g != NULL && i < g->config->ntenants; i++)
        if (tenant_is_same_peer(g->config->tenants[i], t))
            return (int)i;
    return -1;
}

/* A tenant with a renewed certificate is another peer, but still the same account, so its manners
 * go on. */
static struct manners *find_manners(const struct generation *previous, const struct tenant *t)
{
    for (size_t i = 0; previous != NULL && i < previous->config->ntenants; i++)
        if (tenant_is_same_account(previous->config->tenants[i], t))
            return manners_new(t, previous->manners[i], previous->config->tenants[i]);
    return manners_new(t, NULL, NULL);
}

struct generation *generation_new(struct config *c, const struct generation *previous)
{
    struct generation *g = NEW(struct generation);

    atomic_init(&g->refs, 1);
    g->config = config_ref(c);
    g->tenants = mem_new(c->ntenants * sizeof(g->tenants[0]));
    g->manners = mem_new(c->ntenants * sizeof(g->manners[0]));
    for (size_t i = 0; i < c->ntenants; i++) {
        int peer = generation_find_peer(previous, c->tenants[i]);
        g->tenants[i] = peer < 0 ? shared_tenant_new(c->tenants[i])
                                 : shared_tenant_ref(previous->tenants[peer]);
        atomic_store(&g->tenants[i]->places.limit, c->tenants[i]->max_upstream);
        g->manners[i] = find_manners(previous, c->tenants[i]);
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
    for (size_t i = 0; i < g->config->ntenants; i++)
        manners_free(g->manners[i]);
    free(g->tenants);
    free(g->manners);
    config_unref(g->config);
    free(g);
}
