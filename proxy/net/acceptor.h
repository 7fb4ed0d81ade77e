/*
 * acceptor: a listening socket and the connections that come in on it.
 *
 * Belongs to its loop's thread. Out of descriptors it pauses, instead of
 * being woken again and again for a connection it cannot take.
 *
 * The socket may be an inherited one (inherit.h); of a Unix socket, file and access then stay as
 * they are.
 */
#ifndef NET_ACCEPTOR_H
#define NET_ACCEPTOR_H

#include "net/address.h"
#include "net/loop.h"

struct acceptor;

/* Opened, not yet accepting. A Unix socket gets that access before anybody can connect (NULL: mode
 * 0600); one that nobody serves any more is replaced, a live one is an error. */
enum status acceptor_open(const struct address *at, const struct address_access *access,
                          struct acceptor **out, struct diag *why) MUST_CHECK;

/* Could acceptor_open() open it, if nobody else listened there? Makes nothing, and listens on
 * nothing. */
enum status acceptor_try(const struct address *at, const struct address_access *access,
                         struct diag *why) MUST_CHECK;

/* Changes the access to a Unix socket that is open already; nothing to do for others. */
enum status acceptor_permit(struct acceptor *a, const struct address_access *access,
                            struct diag *why) MUST_CHECK;

/* fd is the taker's, non-blocking and close-on-exec; from: the caller's address. */
struct accepted {
    int fd;
    struct address from;
};

enum { ACCEPTED_MAX = 16 };

/* Gets those that were waiting, at most ACCEPTED_MAX of them. */
typedef void acceptor_hook(void *ctx, const struct accepted all[], size_t n);
void acceptor_start(struct acceptor *a, struct loop *l, acceptor_hook *on_accept, void *ctx);

/* Before acceptor_close(): those that have connected and were not accepted yet. Of an inherited
 * socket, they are left to whoever listens there next. */
void acceptor_take_waiting(struct acceptor *a);

/* From now on on_accept gets that ctx. */
void acceptor_retarget(struct acceptor *a, void *ctx);

const struct address *acceptor_address(const struct acceptor *a); /* with the real port */
void acceptor_close(struct acceptor *a);                          /* removes a Unix socket's file */

#endif
