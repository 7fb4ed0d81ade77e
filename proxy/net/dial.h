/*
 * dial: a TCP connection to a named server, over whichever of its addresses
 * answers first (RFC 8305: one after the other, 250 ms apart, without giving
 * up on those begun).
 */
#ifndef NET_DIAL_H
#define NET_DIAL_H

#include "net/resolve.h"
#include "net/way_times.h"

struct dial;

/* fd >= 0: connected, the taker's. Otherwise *why says why not. Not called from inside
 * dial_start(). */
typedef void dial_done(void *ctx, int fd, const struct failure *why);

/* timeout_ms covers the lookup and all addresses. */
struct dial *dial_start(struct loop *l, struct resolver *r, const char *host, int port,
                        int64_t timeout_ms, dial_done *done, void *ctx);

/* Addresses for which permits says false are passed over; if none is left, it is
 * FAIL_CONNECT_ADDRESS. Right after dial_start(). */
void dial_confine(struct dial *d, bool (*permits)(const struct address *a));

/* Notes there how long the lookup (if there is one) and the connection take, until done is called.
 * Right after dial_start(). */
void dial_measure(struct dial *d, struct way_times *way);
void dial_cancel(struct dial *d); /* done is not called any more */

#endif
