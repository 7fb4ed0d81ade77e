#include "core/worker.h"

#include <stdlib.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/mem.h"
#include "core/client.h"
#include "core/origin.h"

struct worker *worker_new(struct config *c, struct shared *s)
{
    struct worker *w = NEW(struct worker);
    size_t max_fields = (size_t)c->max_fields;

    w->loop = loop_new();
    w->config = config_ref(c);
    w->shared = s;
    w->resolver = resolver_new(w->loop, c->resolve_cache);
    list_init(&w->clients);
    w->limits = (struct h1_limits){(size_t)c->max_head, (size_t)c->max_target};
    w->body_limits = (struct body_limits){(size_t)c->max_head, max_fields};
    w->request_head = head_new(max_fields);
    w->response_head = head_new(max_fields);
    if (getrandom(&w->id_prefix, sizeof(w->id_prefix), 0) < 0)
        w->id_prefix = (uintptr_t)w;
    w->origins = mem_new(c->ntenants * sizeof(struct origin *));
    for (size_t i = 0; i < c->ntenants; i++)
        w->origins[i] = origin_new(w, c->tenants[i], &s->tenants[i]);
    return w;
}

void worker_end(struct worker *w)
{
    w->ended = w->drained = true;
    list_each (node, &w->clients)
        client_kill(client_of_node(node));
    loop_turn(w->loop, false); /* what was posted is taken, so that nothing of it is lost */
    for (size_t i = 0; i < w->config->ntenants; i++)
        origin_free(w->origins[i]);
    loop_turn(w->loop, false); /* the dead are buried */
}

void worker_free(struct worker *w)
{
    free(w->origins);
    resolver_free(w->resolver);
    loop_free(w->loop);
    head_free(w->request_head);
    head_free(w->response_head);
    buf_free(&w->scratch);
    buf_free(&w->record_room);
    config_unref(w->config);
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
