/*
 * origin: one tenant's server as one worker sees it: the connections to it, the
 * requests that wait for a connection, the TLS sessions.
 *
 * The number of connections is limited for the whole process. A request that
 * finds the limit reached waits. A place that becomes free goes to the request
 * that has waited longest in the same worker, otherwise to another worker. Now
 * and then another worker comes first.
 */
#ifndef UPSTREAM_ORIGIN_H
#define UPSTREAM_ORIGIN_H

#include "base/fail.h"
#include "net/way_times.h"
#include "upstream/upstreams.h"

struct origin;
struct upstream;

/* For one tenant of a generation. The user holds one reference; each exchange and connection holds
 * one too. */
struct origin *origin_new(struct upstreams *all, struct generation *g, size_t tenant);
struct origin *origin_ref(struct origin *o);
void origin_unref(struct origin *o);

/* The same peer is now tenant number `tenant` of the generation g. */
void origin_adopt(struct origin *o, struct generation *g, size_t tenant);

/* The peer is not configured any more: closes the idle connections, keeps no others from now on,
 * and gives up the user's reference. */
void origin_retire(struct origin *o);

enum acquire_kind {
    ACQUIRE_ANY,   /* an idle one will do */
    ACQUIRE_FRESH, /* only a new one */
    ACQUIRE_UNDER, /* only a new one, under acquire.identity */
};

/* A request's wish for a connection; a member of the request's owner. */
struct acquire {
    struct list node;
    struct origin *origin;
    struct upstream *opening; /* the connection that is being made for it */
    struct timer timer;
    enum acquire_kind kind;
    struct way_times way; /* how long the parts of making a connection took */
    int64_t queued_us;    /* when it began to wait for a connection */
    int64_t waited_us;    /* how long it waited at a gate before (gate.h) */
    /* In: the identity wanted by ACQUIRE_UNDER. Out: the identity that was used. */
    int identity;
    bool queued;
    void (*done)(void *ctx, struct upstream *u, const struct failure *why);
    void *ctx;
};

enum acquire_result { ACQUIRED, ACQUIRE_WAITS, ACQUIRE_REFUSED };

/* Asks for a connection. ACQUIRED: the user owns *u. ACQUIRE_WAITS: a->done is called once, later,
 * with the connection, or with u == NULL and the reason. ACQUIRE_REFUSED: *why has the reason. */
enum acquire_result origin_acquire(struct origin *o, struct acquire *a, enum acquire_kind kind,
                                   struct upstream **u, struct failure *why) MUST_CHECK;
void origin_cancel(struct acquire *a); /* a->done is not called any more; idempotent */

/* Takes back a connection whose exchange has ended well. idle_ms: how long it may stay idle at
 * most. */
void origin_give_back(struct origin *o, struct upstream *u, int64_t idle_ms);

struct overlap *origin_overlap(const struct origin *o); /* which identity is in use */

#endif
