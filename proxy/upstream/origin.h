/*
 * origin: one tenant's server as one worker sees it: the connections to it,
 * the requests that wait for one, the TLS sessions.
 *
 * The number of connections is limited for the whole process. A request that
 * finds the limit reached waits; a place that becomes free goes to the request
 * that has waited longest in the same worker, else, and now and then first, to
 * other workers.
 */
#ifndef UPSTREAM_ORIGIN_H
#define UPSTREAM_ORIGIN_H

#include "base/fail.h"
#include "net/way_times.h"
#include "upstream/upstreams.h"

struct origin;
struct upstream;

/* For one tenant of a generation; the caller holds one reference, as each exchange and connection
 * does. */
struct origin *origin_new(struct upstreams *all, struct generation *g, size_t tenant);
struct origin *origin_ref(struct origin *o);
void origin_unref(struct origin *o);

/* The same peer under another configuration. */
void origin_adopt(struct origin *o, struct generation *g, size_t tenant);

/* The peer is no longer configured: idle connections are closed, none is kept any more, and the
 * caller's reference is given up. */
void origin_retire(struct origin *o);

enum acquire_kind {
    ACQUIRE_ANY,   /* a pooled one will do */
    ACQUIRE_FRESH, /* a new one */
    ACQUIRE_UNDER, /* a new one, under the identity that acquire.identity says */
};

/* A wish for a connection; a member of whoever wishes. */
struct acquire {
    struct list node;
    struct origin *origin;
    struct upstream *opening; /* being made for it */
    struct timer timer;
    enum acquire_kind kind;
    struct way_times way; /* how long the parts took, of a connection that is made for it */
    int64_t queued_us;    /* since when it waits */
    int64_t waited_us;    /* for so long it waited before, at a gate (gate.h); 0: not at all */
    int identity;         /* ACQUIRE_UNDER: which one is wanted; in the end the one that was used */
    bool queued;
    void (*done)(void *ctx, struct upstream *u, const struct failure *why);
    void *ctx;
};

enum acquire_result { ACQUIRED, ACQUIRE_WAITS, ACQUIRE_REFUSED };

/* ACQUIRED: *u is the caller's. ACQUIRE_WAITS: done is called later, once, u NULL meaning *why.
 * ACQUIRE_REFUSED: *why. */
enum acquire_result origin_acquire(struct origin *o, struct acquire *a, enum acquire_kind kind,
                                   struct upstream **u, struct failure *why) MUST_CHECK;
void origin_cancel(struct acquire *a); /* done is not called any more; idempotent */

/* A connection whose exchange went well. idle_ms: for how long it may be kept at most. */
void origin_give_back(struct origin *o, struct upstream *u, int64_t idle_ms);

struct overlap *origin_overlap(const struct origin *o); /* which identity is in use */

#endif
