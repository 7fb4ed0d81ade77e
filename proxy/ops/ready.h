/*
 * ready: can the process serve calls now? It can if it is not shutting down,
 * and if some tenant has a certificate that is valid. No server is asked: a
 * server that is down would otherwise take all instances out of service at
 * once, although each of them explains the failure to its callers.
 */
#ifndef OPS_READY_H
#define OPS_READY_H

#include "base/buf.h"
#include "caller/clients.h"

/* tenant: the only tenant that counts; p NULL: any tenant will do. reasons: writes the reasons as
 * JSON; otherwise writes the answer only. Call it in the thread of the worker whose clients these
 * are. */
bool ready_write(struct buf *b, const struct clients *clients, struct slice tenant, bool reasons);

#endif
