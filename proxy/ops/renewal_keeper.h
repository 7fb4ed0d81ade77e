/*
 * renewal_keeper: the process that keeps fetched certificates renewed.
 *
 * It decides when to look, and starts a process for each look
 * (renewal_fetch.h). That process is for one tenant only, is confined, and ends
 * after the look. The keeper itself reads the configuration without the files
 * that it names, and records of a fixed size: no secret, and nothing that came
 * over a network. So the keeper is not confined, and each look can be given the
 * files that the configuration names at that time.
 *
 * The guard (renewal_guard.h) is started before the process that serves is
 * confined, and by exec, so that its memory has no key of that process. It
 * forks the keeper, and forks it again if it dies. When the process that serves
 * ends, the socket between the two is closed, and the keeper ends.
 */
#ifndef OPS_RENEWAL_KEEPER_H
#define OPS_RENEWAL_KEEPER_H

#include "config/config.h"

/* The descriptor of the socket to the process that serves. The process that starts the guard puts
 * it there. */
enum { RENEWAL_FD = 3 };

/* The orders: one of these letters, then, each after a line feed, the names of the tenants whose
 * certificate in the store does not fit their private-key. */
enum { RENEWAL_RELOAD = 'r', RENEWAL_DISTRUST = 'd', RENEWAL_ORDER_MAX = 60000 };

/* load: loads the configuration without the files that it names. Returns when the process that
 * serves has ended. */
void renewal_keep(enum status (*load)(void *ctx, struct config **out, struct diag *why), void *ctx);

#endif
