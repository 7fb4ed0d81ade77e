#include "process/worker.h"

#include <stdlib.h>

#include "base/mem.h"
#include "caller/client.h"

struct worker *worker_new(struct generation *g, struct shared *s)
{
    struct worker *w = NEW(struct worker);

    w->loop = loop_new();
    w->resolver = resolver_new(w->loop, g->config->resolve_cache);
    w->generation = generation_ref(g);
    clients_init(&w->clients, w->loop, &s->clients, g->config);
    upstreams_init(&w->upstreams, w->loop, w->resolver, &s->queue, g);
    exchanges_init(&w->exchanges, &w->clients, &w->upstreams, &s->exchanges);
    return w;
}

void worker_join(struct worker *w, struct upstreams *const *all, size_t n)
{
    w->upstreams.all = all;
    w->upstreams.nall = n;
}

void worker_adopt(struct worker *w, struct generation *g)
{
    struct generation *old = w->generation;

    if (w->clients.ended)
        return;
    w->generation = generation_ref(g);
    resolver_set_cache(w->resolver, g->config->resolve_cache);
    clients_adopt(&w->clients, g->config);
    upstreams_adopt(&w->upstreams, g);
    exchanges_adopt(&w->exchanges);
    generation_unref(old);
}

void worker_end(struct worker *w)
{
    w->upstreams.ended = true;
    client_kill_all(&w->clients);
    loop_turn(w->loop, false); /* takes what other threads have posted, so that nothing is lost */
    upstreams_end(&w->upstreams);
    loop_turn(w->loop, false); /* frees what was buried */
}

void worker_free(struct worker *w)
{
    exchanges_free(&w->exchanges);
    upstreams_free(&w->upstreams);
    clients_free(&w->clients);
    resolver_free(w->resolver);
    loop_free(w->loop);
    generation_unref(w->generation);
    free(w);
}
