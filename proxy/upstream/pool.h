/*
 * pool: the idle connections of one worker to one tenant's server.
 *
 * A pool belongs to one origin, which is one server under one identity. So no
 * connection ever serves another tenant.
 */
#ifndef UPSTREAM_POOL_H
#define UPSTREAM_POOL_H

#include <stdint.h>

#include "base/list.h"

struct upstream;

/* A reason to close a connection: it was looked at without reading, so what has come is not known:
 * an end, or bytes. */
#define POOL_NOT_SILENT "the server has ended it, or has sent what it was not asked for"

struct pool {
    struct list idle; /* the connection used last comes first */
};

void pool_init(struct pool *p);

/* The usable connection that was used last; NULL: there is none. The user owns it. */
struct upstream *pool_take(struct pool *p);

/* Takes ownership of u and keeps it idle for at most idle_ms. */
void pool_give(struct pool *p, struct upstream *u, int64_t idle_ms);

/* Closes the connection that has been idle longest. Returns false if there is none. reason: see
 * upstream_close(). */
bool pool_drop_one(struct pool *p, const char *reason);
void pool_clear(struct pool *p, const char *reason);

#endif
