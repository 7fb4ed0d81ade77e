/*
 * renewal_keeper: the process that keeps fetched certificates renewed.
 *
 * It decides when to look, and starts a process for each look (renewal_fetch.h),
 * for one tenant, which is confined and ends with it. It reads the
 * configuration without what that names, and records of a fixed size: no
 * secret, and nothing that came over a network. So it is not confined itself,
 * and each look has the files that the configuration names by then.
 *
 * It was started before the process that serves was confined, and by exec, so
 * that no key of that one is in its memory. It ends when that one ends: then
 * the socket between them does.
 */
#ifndef OPS_RENEWAL_KEEPER_H
#define OPS_RENEWAL_KEEPER_H

#include "config/config.h"

/* The socket to the process that serves; whoever starts the guard puts it there. */
enum { RENEWAL_FD = 3 };

/* The orders: one of these letters, then the names of the tenants whose certificate in the store
 * cannot be used with their private-key, each behind a line feed. */
enum { RENEWAL_RELOAD = 'r', RENEWAL_DISTRUST = 'd', RENEWAL_ORDER_MAX = 60000 };

/* load: the names of the configuration, as they are now. Returns when the other end is closed. */
void renewal_keep(enum status (*load)(void *ctx, struct config **out, struct diag *why), void *ctx);

#endif
