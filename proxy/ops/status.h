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

/* Beside what the workers know. */
struct status_facts {
    int64_t begun_us;    /* the program; of the wall clock */
    int64_t refused_us;  /* when a reload was refused; 0: the last one, if any, is in use */
    struct diag refused; /* why */
    uint64_t reloads;    /* that were taken or refused so far */
};

/* In the thread of the worker whose clients these are. */
void status_write(struct buf *b, const struct status_facts *f, const struct clients *clients);

#endif
