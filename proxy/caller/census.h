/*
 * census: how many connections each caller has, over all workers.
 *
 * A caller is a user of this machine, by uid, or another machine, by address
 * (of IPv6 the /64, which one machine has to itself). Asked when a connection
 * comes and when it goes, never for a request; any thread may.
 */
#ifndef CALLER_CENSUS_H
#define CALLER_CENSUS_H

#include "net/peer.h"

struct census;
struct census_entry;

struct census *census_new(void);
void census_free(struct census *c); /* nobody is counted any more */

/* Counts one more connection of that caller; NULL if it has limit of them already. */
struct census_entry *census_take(struct census *c, const struct peer *caller, int64_t limit);
void census_give(struct census *c, struct census_entry *e); /* NULL is allowed */

#endif
