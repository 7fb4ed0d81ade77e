#include "upstream/upstreams.h"

#include <stdlib.h>

#include "base/mem.h"
#include "upstream/gate.h"
#include "upstream/origin.h"

void upstreams_init(struct upstreams *u, struct loop *l, struct resolver *r, struct quota *queue,
                    struct generation *g)
{
    *u = (struct upstreams){.loop = l, .resolver = r, .queue = queue, .generation = g};
    list_init(&u->retired);
    list_init(&u->watches);
    u->origins = mem_new(g->config->ntenants * sizeof(struct origin *));
    for (size_t i = 0; i < g->config->ntenants; i++)
        u->origins[i] = origin_new(u, g, i);
}

/* Takes the origin with the same peer from the origins of the generation g; NULL: there is none. */
static struct origin *take_origin(struct origin **origins, const struct generation *g,
                                  const struct tenant *t)
{
    int i = generation_find_peer(g, t);
    struct origin *o = i < 0 ? NULL : origins[i];

    if (o != NULL)
        origins[i] = NULL;
    return o;
}

void upstreams_adopt(struct upstreams *u, struct generation *g)
{
    const struct generation *old = u->generation;
    struct origin **origins = u->origins;
    size_t n = g->config->ntenants;

    u->generation = g;
    u->origins = mem_new(n * sizeof(struct origin *));
    for (size_t i = 0; i < n; i++) {
        struct origin *o = take_origin(origins, old, g->config->tenants[i]);
        if (o != NULL)
            origin_adopt(o, g, i);
        u->origins[i] = o != NULL ? o : origin_new(u, g, i);
    }
    for (size_t i = 0; i < old->config->ntenants; i++)
        if (origins[i] != NULL)
            origin_retire(origins[i]);
    free(origins);
}

void upstreams_end(struct upstreams *u)
{
    gate_end_watches(u);
    for (size_t i = 0; i < u->generation->config->ntenants; i++)
        origin_retire(u->origins[i]);
}

void upstreams_free(struct upstreams *u)
{
    free(u->origins);
}
