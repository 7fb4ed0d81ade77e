/*
 * acceptor: a listening socket and the connections that come in on it.
 *
 * Belongs to its loop's thread. When descriptors run out, it pauses for a
 * moment; otherwise the loop would be woken again and again for a connection
 * that cannot be taken.
 *
 * The socket may be an inherited one (inherit.h). Then the file and the mode of
 * a Unix socket stay as they are.
 */
#ifndef NET_ACCEPTOR_H
#define NET_ACCEPTOR_H

#include "net/address.h"
#include "net/loop.h"

struct acceptor;

/* Opens a listening socket that does not accept yet. A Unix socket gets that access before anybody
 * can connect; NULL: mode 0600. The file of a Unix socket that nobody serves any more is replaced;
 * one that is served is an error. ST_BAD_INPUT or ST_SYSTEM: *why. */
enum status acceptor_open(const struct address *at, const struct address_access *access,
                          struct acceptor **out, struct diag *why) MUST_CHECK;

/* Checks whether acceptor_open() could open it if nobody else listened there. Makes no file and
 * listens on nothing. */
enum status acceptor_try(const struct address *at, const struct address_access *access,
                         struct diag *why) MUST_CHECK;

/* Changes the access to the file of an open Unix socket. Does nothing for other sockets. */
enum status acceptor_permit(struct acceptor *a, const struct address_access *access,
                            struct diag *why) MUST_CHECK;

/* fd: the connection, which the hook owns; non-blocking and close-on-exec. from: the caller's
 * address. */
struct accepted {
    int fd;
    struct address from;
};

enum { ACCEPTED_MAX = 16 };

/* Gets the connections that were waiting, at most ACCEPTED_MAX at once. */
typedef void acceptor_hook(void *ctx, const struct accepted all[], size_t n);
void acceptor_start(struct acceptor *a, struct loop *l, acceptor_hook *on_accept, void *ctx);

/* Takes all connections that are made but not accepted yet; call it before acceptor_close(). Those
 * of an inherited socket are left for the next process that listens there. */
void acceptor_take_waiting(struct acceptor *a);

/* From now on on_accept gets this ctx. */
void acceptor_retarget(struct acceptor *a, void *ctx);

/* with the port that the kernel has chosen */
const struct address *acceptor_address(const struct acceptor *a);
/* also removes a Unix socket's file */
void acceptor_close(struct acceptor *a);

#endif
