/*
 * dial: a TCP connection to a named host, over the address that answers first.
 * The addresses are tried one after the other, 250 ms apart, while the earlier
 * attempts go on (RFC 8305).
 */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include "net/resolve.h"
#include "net/way_times.h"

struct dial;

/* fd >= 0: the connection, which the user owns. fd < 0: *why has the reason. Not called inside
 * dial_start(). */
typedef void dial_done(void *ctx, int fd, const struct failure *why);

/* timeout_ms: for the lookup and all addresses together. */
struct dial *dial_start(struct loop *l, struct resolver *r, const char *host, int port,
                        int64_t timeout_ms, dial_done *done, void *ctx);

/* Skips the addresses that permits() rejects. If none is left, the failure is FAIL_CONNECT_ADDRESS.
 * Call it right after dial_start(). */
void dial_confine(struct dial *d, bool (*permits)(const struct address *a));

/* Notes in *way how long the lookup (if any) and the connection take, until `done` is called. Call
 * it right after dial_start(). */
void dial_measure(struct dial *d, struct way_times *way);
void dial_cancel(struct dial *d); /* `done` is not called any more */

#endif
