/*
 * status: what `admin` reports at /status, as JSON: the configuration, the
 * tenants with their certificates and the outcomes of their calls, the last
 * failures with their cures.
 */
#ifndef OPS_STATUS_H
#define OPS_STATUS_H

#include "base/buf.h"
#include "base/diag.h"
#include "caller/clients.h"
#include "caller/ledger.h"

/* What the workers do not know. */
struct status_facts {
    int64_t begun_us; /* when the program began, in us since 1970 */
    /* When a reload was refused; 0: the last one, if any, is in use. */
    int64_t refused_us;
    struct diag refused;     /* why it was refused */
    uint64_t reloads;        /* reloads so far, refused ones included */
    struct renewal *renewal; /* NULL: nothing is fetched */
};

/* The certificate's state: "valid", or why it cannot be presented, or that the server has refused
 * it since it last worked. now: seconds since 1970. */
const char *status_certificate_state(const struct credential *c, const struct ledger_identity *past,
                                     int64_t now);

/* The outcome of the tenant's last calls: "working", "failing" or "unused". */
const char *status_tenant_state(const struct ledger_sum *past);

/* Call it in the thread of the worker whose clients these are. */
void status_write(struct buf *b, const struct status_facts *f, const struct clients *clients);

#endif
