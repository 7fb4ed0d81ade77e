/*
 * status: what `admin` reports at /status, as JSON: the configuration, the
 * tenants with their certificates and what has become of their calls, the last
 * failures with their cures.
 */
#ifndef OPS_STATUS_H
#define OPS_STATUS_H

#include "base/buf.h"
#include "base/diag.h"
#include "caller/clients.h"
#include "caller/ledger.h"

/* Beside what the workers know. */
struct status_facts {
    int64_t begun_us;        /* the program; of the wall clock */
    int64_t refused_us;      /* when a reload was refused; 0: the last one, if any, is in use */
    struct diag refused;     /* why */
    uint64_t reloads;        /* that were taken or refused so far */
    struct renewal *renewal; /* NULL: nothing is fetched */
};

/* "valid", why it cannot be presented, or that the server has refused it since it last worked. now:
 * seconds since 1970. */
const char *status_certificate_state(const struct credential *c, const struct ledger_identity *past,
                                     int64_t now);

/* What came last of its calls: "working", "failing", "unused". */
const char *status_tenant_state(const struct ledger_sum *past);

/* In the thread of the worker whose clients these are. */
void status_write(struct buf *b, const struct status_facts *f, const struct clients *clients);

#endif
