/*
 * census: how many connections each caller has, in all workers together.
 *
 * A caller is a user of this machine, known by uid, or another machine, known
 * by its address. An IPv6 caller is a /64, because one machine usually has a
 * whole /64. The census is used when a connection comes and goes, never for a
 * request. Any thread may call.
 */
#ifndef CALLER_CENSUS_H
#define CALLER_CENSUS_H

#include "net/peer.h"

struct census;
struct census_entry;

struct census *census_new(void);
void census_free(struct census *c); /* all connections were given back before */

/* Counts one more connection of that caller. Returns NULL if it has `limit` connections already. */
struct census_entry *census_take(struct census *c, const struct peer *caller, int64_t limit);
void census_give(struct census *c, struct census_entry *e); /* NULL is allowed */

#endif
