#include "upstream/site.h"

#include "tls/session.h"

static void use(struct site *s, struct generation *g, size_t tenant)
{
    s->generation = generation_ref(g);
    s->tenant = g->config->tenants[tenant];
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
