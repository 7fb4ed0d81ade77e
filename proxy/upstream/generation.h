/*
 * generation: a configuration in use, with what all workers count together for
 * each of its tenants. Immutable but for those counts, reference-counted,
 * usable in any thread. A reload makes another one; exchanges and connections
 * keep theirs until they end.
 */
#ifndef UPSTREAM_GENERATION_H
#define UPSTREAM_GENERATION_H

#include "base/quota.h"
#include "config/config.h"
#include "upstream/manners.h"
#include "upstream/overlap.h"

/* Connections that rest, of one worker, which alone changes it. */
struct idle_count {
    struct idle_count *next;
    _Atomic int n;
};

/* The counts of one tenant. They outlive a reload that leaves its server and identity as they
 * are. */
struct shared_tenant {
    atomic_int refs;
    struct quota upstreams; /* connections to the server */
    _Atomic int waiting;    /* requests that wait for one, in any worker */
    struct overlap overlap;
    struct idle_count *_Atomic idle; /* grows at the front */
};

struct generation {
    atomic_int refs;
    struct config *config;
    struct shared_tenant **tenants; /* one for each of config */
    struct manners **manners;       /* as well */
};

/* Takes a reference to c. previous: whose tenants' counts go on where the peer is the same; NULL:
 * none. */
struct generation *generation_new(struct config *c, const struct generation *previous);
struct generation *generation_ref(struct generation *g);
void generation_unref(struct generation *g); /* NULL is allowed */

/* The tenant of g that has the same server and identity as t; -1: there is none, or g is NULL. */
int generation_find_peer(const struct generation *g, const struct tenant *t);

struct shared_tenant *shared_tenant_ref(struct shared_tenant *t);
void shared_tenant_unref(struct shared_tenant *t);

/* A new count, which lives as long as t. Any thread. */
struct idle_count *shared_tenant_count_idle(struct shared_tenant *t);

/* The sum of them. Any thread. */
int shared_tenant_idle(const struct shared_tenant *t);

#endif
