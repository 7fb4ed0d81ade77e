/*
 * worker: one thread that serves: its loop, the callers it has, the exchanges,
 * its connections to the servers. Nothing of it is touched by another thread,
 * but for what is shared.
 */
#ifndef PROCESS_WORKER_H
#define PROCESS_WORKER_H

#include "caller/clients.h"
#include "exchange/exchanges.h"
#include "upstream/upstreams.h"

/* What all workers count together. */
struct shared {
    struct clients_shared clients;
    struct exchanges_shared exchanges;
    struct quota queue; /* requests that wait, of all tenants */
};

struct worker {
    struct loop *loop;
    struct resolver *resolver;
    struct generation *generation;
    struct clients clients;
    struct upstreams upstreams;
    struct exchanges exchanges;
};

struct worker *worker_new(struct generation *g, struct shared *s);

/* Makes the workers known to each other, before their loops run. all: the upstreams of each of
 * them; outlives the workers. */
void worker_join(struct worker *w, struct upstreams *const *all, size_t n);

/* From now on serves what g says. Connections to servers that stay the same stay; of the others
 * none is used for a new request; running exchanges end as they began. In the worker's thread,
 * between two turns' events. */
void worker_adopt(struct worker *w, struct generation *g);

/* Once no loop runs any more: first all workers are ended, then all are freed. */
void worker_end(struct worker *w);
void worker_free(struct worker *w);

#endif
