/*
 * renewal_fetch: one look, in a process of its own: what does certificate-store
 * hold, and what does BTP have?
 */
#ifndef OPS_RENEWAL_FETCH_H
#define OPS_RENEWAL_FETCH_H

#include "config/config.h"
#include "ops/renewal_record.h"

/* ask: ask BTP too. distrusts: the certificate in the store does not fit private-key, which this
 * process cannot read. Confines the process for good. */
void renewal_fetch(const struct config *c, const struct tenant *t, bool ask, bool distrusts,
                   struct renewal_record *out);

#endif
