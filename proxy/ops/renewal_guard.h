/*
 * renewal_guard: the process that starts the keeper (renewal_keeper.h), and
 * starts it again, after growing pauses, if it dies. It reads no file and no
 * message. It ends when the process that serves ends, and then the keeper ends
 * too.
 */
#ifndef OPS_RENEWAL_GUARD_H
#define OPS_RENEWAL_GUARD_H

#include "ops/renewal_keeper.h"

/* The arguments are those of renewal_keep(). */
void renewal_guard(enum status (*load)(void *ctx, struct config **out, struct diag *why),
                   void *ctx);

#endif
