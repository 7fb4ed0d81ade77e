/*
 * announce: log lines about a configuration: what was found when it was loaded,
 * whom it serves, which certificates end soon.
 */
#ifndef OPS_ANNOUNCE_H
#define OPS_ANNOUNCE_H

#include "config/config.h"
#include "ops/expiry.h"

/* Logs all that about a configuration that is used from now on. Resets e. */
void announce_config(const struct config *c, struct expiry *e);

/* Logs which certificates end soon, if a reminder is due. Call it now and then. */
void announce_expiry(const struct config *c, struct expiry *e);

#endif
