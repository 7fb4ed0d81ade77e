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

/* Warns of variables like https_proxy that other programs would follow and sfmtls does not
 * (announce_proxy.c). Call it at the start only, because the environment does not change. */
void announce_unused_proxy(const struct config *c);

#endif
