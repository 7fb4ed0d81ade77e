/*
 * ready: can the process serve calls now? It can if it is not draining, and if a tenant has a
 * certificate that is valid. Nothing is asked of a server: a server that is down would take every
 * instance out of service at once, and each of them explains it better to its callers.
 */
#ifndef OPS_READY_H
#define OPS_READY_H

#include "base/buf.h"
#include "caller/clients.h"

/* tenant: the only one that matters; p NULL: any will do. Writes the reasons as JSON, or, if
 * reasons is false, the answer alone. In the thread of the worker whose clients these are. */
bool ready_write(struct buf *b, const struct clients *clients, struct slice tenant, bool reasons);

#endif
