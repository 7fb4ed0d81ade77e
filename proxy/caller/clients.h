/*
 * clients: all callers' connections of one worker, with what they need of it:
 * its loop, the configuration in use, room for the head that is being read;
 * and what all workers count together.
 *
 * Belongs to the worker's thread, but for `shared`.
 */
#ifndef CALLER_CLIENTS_H
#define CALLER_CLIENTS_H

#include "base/quota.h"
#include "caller/record.h"
#include "config/config.h"
#include "http/h1_reader.h"
#include "net/loop.h"
#include "net/peer.h"

struct clients;
struct census;
struct checker;
struct ledger;

/* Of all workers. */
struct clients_shared {
    struct quota clients;     /* max-connections */
    struct quota turned_away; /* callers beyond it that are being told so */
    struct census *census;    /* of each caller's connections */
    struct checker *checker;  /* of callers' passwords */
    struct ledger *ledgers;   /* one for each worker, see ledger.h */
    record_hook *on_record;
    void *record_ctx;
    void (*on_drained)(void *ctx, struct clients *c); /* called in the worker's thread */
    void *drained_ctx;
};

struct clients {
    struct loop *loop;
    const struct config *config; /* in use; not owned */
    struct clients_shared *shared;
    void *services; /* what the services of doors need of this worker; theirs to know */
    struct peer_asker *peers;
    struct local_leaves *leaves; /* of config's local CA; NULL: there is none */
    struct list list;            /* of struct client */
    bool draining, drained;
    bool ended; /* being taken down */

    struct h1_limits limits;
    struct head *request_head; /* room for the one that is being read */
    struct buf record_room;
    uint64_t id_prefix, next_id;
    struct ledger *ledger; /* what became of its exchanges */
    void *counts;          /* see record.h: of those of no tenant */
};

/* Uses the loop and what is shared, which outlive it. */
void clients_init(struct clients *c, struct loop *l, struct clients_shared *shared,
                  const struct config *config);

/* From now on new requests are judged by that configuration, which must outlive the next call of
 * this. Between two turns' events. */
void clients_adopt(struct clients *c, const struct config *config);

void clients_free(struct clients *c);

/* Reports an exchange that is over: fills in the times and hands the record to the hook.
 * begun_us, first_us: clock_monotonic_us(); first_us 0: no answer came. */
void clients_report(struct clients *c, struct record *r, int64_t begun_us, int64_t first_us);

/* A name for one exchange, for the log and the caller. */
void clients_new_id(struct clients *c, char out[REQUEST_ID_SIZE]);

#endif
