/*
 * worker: one thread that serves: its loop, the callers it has, its
 * connections to the servers. Nothing of it is touched by another thread, but
 * for what `shared` holds.
 */
#ifndef CORE_WORKER_H
#define CORE_WORKER_H

#include "config/config.h"
#include "core/overlap.h"
#include "core/quota.h"
#include "core/record.h"
#include "http/body.h"
#include "http/h1_reader.h"
#include "net/loop.h"
#include "net/peer.h"
#include "net/resolve.h"

enum { COLLECTED_MAX = 32 * 1024 * 1024 }; /* of shared.collected */

struct census;
struct checker;
struct client;
struct origin;
struct worker;

/* What all workers count together of one tenant. Outlives a reload that leaves the tenant's server
 * and identity as they are. */
struct shared_tenant {
    atomic_int refs;
    struct quota upstreams; /* connections to the server */
    _Atomic int waiting;    /* requests that wait for one, in any worker */
    struct overlap overlap;
};

/* A configuration in use. Immutable and reference-counted; a reload makes another. */
struct generation {
    atomic_int refs;
    struct config *config;
    struct shared_tenant **tenants; /* one for each of config */
};

/* previous: whose tenants' counts go on where the peer is the same; NULL: none. */
struct generation *generation_new(struct config *c, const struct generation *previous);
struct generation *generation_ref(struct generation *g);
void generation_unref(struct generation *g);
struct shared_tenant *shared_tenant_ref(struct shared_tenant *t);
void shared_tenant_unref(struct shared_tenant *t);

struct shared {
    struct quota clients;     /* max-connections */
    struct quota turned_away; /* callers beyond it that are being told so */
    struct quota queue;       /* requests that wait, of all tenants */
    struct quota collected;   /* bytes of bodies that are not sent before they are whole */
    struct census *census;    /* of each caller's connections */
    struct cookies *cookies;
    struct checker *checker; /* of callers' passwords */
    size_t nworkers;
    struct worker **workers;
    record_hook *on_record;
    void *record_ctx;
    void (*on_drained)(void *ctx, struct worker *w); /* called in the worker's thread */
    void *drained_ctx;
};

struct worker {
    struct loop *loop;
    struct generation *generation;
    struct config *config; /* of generation */
    struct shared *shared;
    struct resolver *resolver;
    struct peer_asker *peers;
    struct origin **origins;     /* by tenant of config */
    struct local_leaves *leaves; /* of config's local CA; NULL: there is none */
    struct list retired;         /* origins of former configurations that are still in use */

    struct list clients;
    bool draining, drained;
    bool ended; /* being taken down: no other worker is told of anything */

    struct h1_limits limits;
    struct body_limits body_limits;
    struct head *request_head, *response_head; /* room for the one that is read right now */
    struct buf scratch;                        /* room for the head that is written right now */
    struct buf record_room;

    uint64_t id_prefix, next_id;
};

struct worker *worker_new(struct generation *g, struct shared *s);

/* From now on serves what g says. Connections to servers that stay the same stay; of the others
 * none is used for a new request; running exchanges end as they began. In the worker's thread,
 * between two turns' events. */
void worker_adopt(struct worker *w, struct generation *g);

/* Once no loop runs any more: first all workers are ended, then all are freed. */
void worker_end(struct worker *w);
void worker_free(struct worker *w);

/* Ends idle callers and, as they become idle, the others; on_drained is called when none is left
 * that is served. */
void worker_drain(struct worker *w);

/* To be called when a caller became idle or went away. */
void worker_check_drained(struct worker *w);

/* Reports an exchange that is over: fills in the times and hands the record to the hook.
 * begun_us, first_us: clock_monotonic_us(); first_us 0: no answer came. */
void worker_report(struct worker *w, struct record *r, int64_t begun_us, int64_t first_us);

/* A name for one exchange, for the log and the caller. */
void worker_new_id(struct worker *w, char out[REQUEST_ID_SIZE]);

#endif
