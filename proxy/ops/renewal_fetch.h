/*
 * renewal_fetch: one look, in a process of its own: what certificate-store
 * holds, and what BTP has.
 */
#ifndef OPS_RENEWAL_FETCH_H
#define OPS_RENEWAL_FETCH_H

#include "config/config.h"
#include "ops/renewal_record.h"

/* ask: BTP, too; not only what is in the store. distrusts: what is in the store does not fit
 * private-key, which this process cannot read. Confines the process. */
void renewal_fetch(const struct config *c, const struct tenant *t, bool ask, bool distrusts,
                   struct renewal_record *out);

#endif
