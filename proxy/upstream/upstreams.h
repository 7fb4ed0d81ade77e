/*
 * upstreams: all connections to API servers of one worker, with what they need
 * of it: its loop, its resolver, the configuration in use.
 *
 * Belongs to the worker's thread. Of another worker's only the loop is used, to
 * post to it.
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
    struct quota *queue;           /* requests that wait, of the whole process */
    struct upstreams *const *all;  /* of all workers, this one's included; NULL: it is alone */
    size_t nall;
    struct origin **origins; /* one for each tenant of generation */
    struct list retired;     /* those of earlier generations that are still in use */
    struct list watches;     /* for gates at which requests wait: gate.h */
    unsigned long long made; /* connections so far */
    bool ended;              /* being taken down: no other worker is told of anything */
};

/* Uses the loop, the resolver and the queue, which outlive it. */
void upstreams_init(struct upstreams *u, struct loop *l, struct resolver *r, struct quota *queue,
                    struct generation *g);

/* From now on serves what g says, which must outlive the next call of this. Connections to servers
 * that stay the same stay; of the others none is used for a new request. */
void upstreams_adopt(struct upstreams *u, struct generation *g);

/* No request comes any more: idle connections are closed, and no other worker is told of anything.
 * What is freed is freed by the loop. */
void upstreams_end(struct upstreams *u);
void upstreams_free(struct upstreams *u);

#endif
