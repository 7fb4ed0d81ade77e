/*
 * unused_proxy: a proxy that the environment names, as in https_proxy, that
 * other programs would follow, and that sfmtls does not use.
 */
#ifndef OPS_UNUSED_PROXY_H
#define OPS_UNUSED_PROXY_H

#include "config/config.h"

/* The variable by which curl would call that tenant's server through a proxy, while sfmtls connects
 * to it directly, and nothing in the configuration says so. NULL: there is none. */
const char *unused_proxy_of(const struct config *c, const struct tenant *t);

/* Warns of it, in one line for all tenants. Call it at the start only, because the environment does
 * not change. */
void unused_proxy_announce(const struct config *c);

#endif
