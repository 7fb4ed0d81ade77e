/*
 * generation: a configuration in use, together with what all workers count for
 * each of its tenants. Except for those counts a generation is immutable. It is
 * reference-counted, and any thread may use it. A reload makes another
 * generation; exchanges and connections keep theirs until they end.
 */
#ifndef UPSTREAM_GENERATION_H
#define UPSTREAM_GENERATION_H

#include "base/quota.h"
#include "config/config.h"
#include "upstream/manners.h"
#include "upstream/overlap.h"

/* Number of idle connections of one worker, which alone changes it. */
struct idle_count {
    struct idle_count *next;
    _Atomic int n;
};

/* The counts of one tenant. They go on after a reload that keeps the tenant's server and
 * identity. */
struct shared_tenant {
    atomic_int refs;
    struct quota places; /* for connections to the server (max-upstream) */
    _Atomic int waiting; /* requests that wait for a connection, in all workers */
    struct overlap overlap;
    struct idle_count *_Atomic idle; /* new ones are added at the front */
};

struct generation {
    atomic_int refs;
    struct config *config;
    struct shared_tenant **tenants; /* one for each tenant of config */
    struct manners **manners;       /* the same */
};

/* Makes a generation of c and takes a reference to c. previous: the generation before; the counts
 * of tenants with the same peer go on. NULL: there is none. */
struct generation *generation_new(struct config *c, const struct generation *previous);
struct generation *generation_ref(struct generation *g);
void generation_unref(struct generation *g); /* NULL is allowed */

/* Index of the tenant of g that has the same server and identity as t; -1: there is none, or g is
 * NULL. */
int generation_find_peer(const struct generation *g, const struct tenant *t);

struct shared_tenant *shared_tenant_ref(struct shared_tenant *t);
void shared_tenant_unref(struct shared_tenant *t);

/* Makes a count for one worker; it lives as long as t. Any thread. */
struct idle_count *shared_tenant_count_idle(struct shared_tenant *t);

/* The number of idle connections in all workers. Any thread. */
int shared_tenant_idle(const struct shared_tenant *t);

#endif
