#include "upstream/site.h"

#include "tls/session.h"

void site_count_idle(struct site *s, int more)
{
    int n = atomic_load_explicit(&s->idle->n, memory_order_relaxed);

    atomic_store_explicit(&s->idle->n, n + more, memory_order_relaxed);
}

/* Counts the idle connections in `to` from now on. */
static void move_idle(struct site *s, struct shared_tenant *to)
{
    struct idle_count *from = s->idle;

    s->idle = shared_tenant_count_idle(to);
    if (from != NULL)
        atomic_store(&s->idle->n, atomic_exchange(&from->n, 0));
}

static void use(struct site *s, struct generation *g, size_t tenant)
{
    s->generation = generation_ref(g);
    s->tenant = g->config->tenants[tenant];
    if (s->idle == NULL || s->shared != g->tenants[tenant])
        move_idle(s, g->tenants[tenant]);
    s->shared = shared_tenant_ref(g->tenants[tenant]);
}

void site_init(struct site *s, struct upstreams *all, struct generation *g, size_t tenant)
{
    s->refs = 1;
    s->all = all;
    use(s, g, tenant);
    for (int i = 0; i < IDENTITIES; i++)
        s->sessions[i] = tls_sessions_new();
}

struct site *site_ref(struct site *s)
{
    s->refs++;
    return s;
}

void site_unref(struct site *s)
{
    if (--s->refs == 0)
        s->release(s);
}

void site_adopt(struct site *s, struct generation *g, size_t tenant)
{
    struct generation *old = s->generation;
    struct shared_tenant *shared = s->shared;

    use(s, g, tenant);
    shared_tenant_unref(shared);
    generation_unref(old);
}

void site_free(struct site *s)
{
    for (int i = 0; i < IDENTITIES; i++)
        tls_sessions_free(s->sessions[i]);
    shared_tenant_unref(s->shared);
    generation_unref(s->generation);
}
