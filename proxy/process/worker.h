/*
 * worker: one thread that serves: its loop, its callers, its exchanges, and its
 * connections to servers. No other thread uses any of them, except what is in
 * struct shared.
 */
#ifndef PROCESS_WORKER_H
#define PROCESS_WORKER_H

#include "caller/clients.h"
#include "exchange/exchanges.h"
#include "upstream/upstreams.h"

/* What all workers share. */
struct shared {
    struct clients_shared clients;
    struct exchanges_shared exchanges;
    struct quota queue; /* waiting requests of all tenants */
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

/* Gives the worker the upstreams of all n workers. `all` must outlive the workers. Call it before
 * the loops run. */
void worker_join(struct worker *w, struct upstreams *const *all, size_t n);

/* Serves by g from now on. Connections to peers that are still configured stay; the others serve no
 * new request. Running exchanges keep their configuration. Call it in the worker's thread, between
 * the events of the loop. */
void worker_adopt(struct worker *w, struct generation *g);

/* Call these after the last loop has stopped: worker_end() for all workers, then worker_free() for
 * all. */
void worker_end(struct worker *w);
void worker_free(struct worker *w);

#endif
