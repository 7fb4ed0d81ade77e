/*
 * pool: the idle connections of one worker to one tenant's server.
 *
 * A pool belongs to one origin, which is one server under one identity, so no
 * connection ever serves another tenant.
 */
#ifndef UPSTREAM_POOL_H
#define UPSTREAM_POOL_H

#include <stdint.h>

#include "base/list.h"

struct upstream;

struct pool {
    struct list idle; /* the one used last comes first */
};

void pool_init(struct pool *p);

/* The connection used last that can still be used, or NULL. The caller owns it. */
struct upstream *pool_take(struct pool *p);

/* Takes it over; idle_ms: for how long. */
void pool_give(struct pool *p, struct upstream *u, int64_t idle_ms);

/* Closes the one that was idle longest; false if there is none. reason: see upstream_close(). */
bool pool_drop_one(struct pool *p, const char *reason);
void pool_clear(struct pool *p, const char *reason);

#endif
