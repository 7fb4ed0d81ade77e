/*
 * announce: what the log is told of a configuration: what was noticed when it
 * was loaded, whom it serves, which certificates are about to end.
 */
#ifndef OPS_ANNOUNCE_H
#define OPS_ANNOUNCE_H

#include "config/config.h"
#include "ops/expiry.h"

/* All of it, about a configuration that is used from now on. e is begun again. */
void announce_config(const struct config *c, struct expiry *e);

/* Reminds of certificates that end soon, if it is time; to be called now and then. */
void announce_expiry(const struct config *c, struct expiry *e);

/* announce_proxy.c: warns of https_proxy and its like, where they would count and are not used. For
 * the start: the environment does not change. */
void announce_unused_proxy(const struct config *c);

#endif
