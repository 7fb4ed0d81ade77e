/*
 * clients: all callers' connections of one worker, and what they use: the
 * worker's loop, the configuration in use, and memory for the head that is
 * being read; also what all workers count together.
 *
 * Belongs to the worker's thread, except `shared`.
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

/* One for all workers. */
struct clients_shared {
    struct quota connections; /* the limit max-connections */
    struct quota turned_away; /* callers beyond it that are being told the reason */
    struct census *census;    /* number of connections of each caller */
    struct checker *checker;  /* checks the callers' passwords */
    struct ledger *ledgers;   /* one for each worker */
    record_hook *on_record;
    void *record_ctx;
    void (*on_drained)(void *ctx, struct clients *c); /* called in the worker's thread */
    void *drained_ctx;
};

struct clients {
    struct loop *loop;
    const struct config *config; /* in use; not owned */
    struct clients_shared *shared;
    /* What the services need of this worker. Only the services know its type. */
    void *services;
    struct peer_asker *peers;
    struct local_leaves *leaves; /* of the configuration's local CA; NULL: there is none */
    struct list list;            /* all struct client */
    bool draining, drained;
    bool ended; /* client_kill_all() was called */

    struct h1_limits limits;
    struct head *request_head; /* the head that is being read */
    struct buf record_room;
    uint64_t id_prefix, next_id;
    struct ledger *ledger; /* counts the outcomes of the exchanges */
    void *counts;          /* record.h: for exchanges of no tenant */
};

/* Starts with no connection. l, shared and config must outlive c. */
void clients_init(struct clients *c, struct loop *l, struct clients_shared *shared,
                  const struct config *config);

/* From now on config judges new requests. It must outlive the next call. Call it between the events
 * of the loop. */
void clients_adopt(struct clients *c, const struct config *config);

void clients_free(struct clients *c);

/* Reports an exchange that is over: fills in the record's times and passes the record to on_record.
 * begun_us, first_us: clock_monotonic_us(); first_us 0: no answer came. */
void clients_report(struct clients *c, struct record *r, int64_t begun_us, int64_t first_us);

/* Makes an ID for one exchange. The log and the caller get it. */
void clients_new_id(struct clients *c, char out[REQUEST_ID_SIZE]);

#endif
