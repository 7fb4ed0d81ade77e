/*
 * exchanges: what the exchanges of one worker use: its callers, its connections
 * to servers, and memory for the heads of answers; also what all workers share.
 *
 * Belongs to the worker's thread, except `shared`.
 */
#ifndef EXCHANGE_EXCHANGES_H
#define EXCHANGE_EXCHANGES_H

#include "caller/clients.h"
#include "http/body.h"
#include "upstream/upstreams.h"

struct cookies;
struct sessions;

enum {
    COLLECTED_MAX = 32 * 1024 * 1024, /* bytes of bodies that are collected in the whole process */
    SPARES_MAX = 64,                  /* about 150 KiB for each worker */
};

struct exchange;

/* One for all workers. */
struct exchanges_shared {
    struct quota collected; /* bytes of bodies that are collected before they are sent */
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
    struct head *response_head;          /* the head that is being read */
    struct buf scratch;                  /* the head that is being written */
    struct exchange *spares[SPARES_MAX]; /* memory for later exchanges (spare.c) */
    size_t nspares;
};

/* Registers x as the services of `clients`. clients, upstreams and shared must outlive x. */
void exchanges_init(struct exchanges *x, struct clients *clients, struct upstreams *upstreams,
                    struct exchanges_shared *shared);

/* Call it after another configuration has come into use in `clients` and `upstreams`. */
void exchanges_adopt(struct exchanges *x);
void exchanges_free(struct exchanges *x);

#endif
