/*
 * exchanges: what the exchanges of one worker need of it: its callers, its
 * connections to servers, room for the heads of answers; and what all workers
 * share.
 *
 * Belongs to the worker's thread, but for `shared`.
 */
#ifndef EXCHANGE_EXCHANGES_H
#define EXCHANGE_EXCHANGES_H

#include "caller/clients.h"
#include "http/body.h"
#include "upstream/upstreams.h"

struct cookies;
struct sessions;

enum {
    COLLECTED_MAX = 32 * 1024 * 1024,
    SPARES_MAX = 64, /* about 150 KiB for each worker */
};

struct exchange;

/* Of all workers. */
struct exchanges_shared {
    struct quota collected; /* bytes of bodies that are not sent before they are whole */
    struct cookies *cookies;
    struct sessions *sessions;
};

struct exchanges {
    struct loop *loop;
    struct clients *clients;
    struct upstreams *upstreams;
    struct exchanges_shared *shared;
    struct ledger_cell **cells; /* one for each tenant of the configuration in use */
    struct body_limits body_limits;
    struct head *response_head;          /* room for the one that is being read */
    struct buf scratch;                  /* room for the head that is being written */
    struct exchange *spares[SPARES_MAX]; /* for those to come */
    size_t nspares;
};

/* Becomes the services of the callers. All outlive it. */
void exchanges_init(struct exchanges *x, struct clients *clients, struct upstreams *upstreams,
                    struct exchanges_shared *shared);

/* The callers' configuration is another one. */
void exchanges_adopt(struct exchanges *x);
void exchanges_free(struct exchanges *x);

#endif
