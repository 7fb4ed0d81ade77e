/*
 * upstreams: all connections of one worker to API servers, and what they use:
 * the worker's loop, its resolver, the configuration in use.
 *
 * Belongs to the worker's thread. Of another worker's upstreams only the loop
 * is used, to post to it.
 */
#ifndef UPSTREAM_UPSTREAMS_H
#define UPSTREAM_UPSTREAMS_H

#include "net/loop.h"
#include "net/resolve.h"
#include "upstream/generation.h"

struct origin;

struct upstreams {
    struct loop *loop;
    struct resolver *resolver;
    struct generation *generation; /* in use; not owned */
    struct quota *queue;           /* waiting requests of the whole process */
    /* The upstreams of all workers, including these; NULL: there is only one worker. */
    struct upstreams *const *all;
    size_t nall;
    struct origin **origins; /* one for each tenant of generation */
    struct list retired;     /* origins of earlier generations still in use */
    struct list watches;     /* struct watch of gate.c */
    unsigned long long made; /* number of connections so far */
    bool ended;              /* upstreams_end() was called */
};

/* l, r and queue must outlive u; g must live until upstreams_adopt() has replaced it. */
void upstreams_init(struct upstreams *u, struct loop *l, struct resolver *r, struct quota *queue,
                    struct generation *g);

/* From now on serves g, which must live until the next call has replaced it. Connections to peers
 * that are still configured stay; the others serve no new request. */
void upstreams_adopt(struct upstreams *u, struct generation *g);

/* Call it when no more requests come: closes idle connections and tells other workers nothing any
 * more. The loop frees the memory. */
void upstreams_end(struct upstreams *u);
void upstreams_free(struct upstreams *u);

#endif
