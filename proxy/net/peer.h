/*
 * peer: whose process is at the other end of a connection?
 *
 * For a Unix socket the kernel knows who connected. For TCP within this machine
 * Linux tells the owner of the caller's socket (NETLINK_SOCK_DIAG, one exact
 * look-up, no dump). The answer counts only while a process holds that socket,
 * because the kernel reports a closed socket as root's. Uids are those of the
 * user namespace of this process; a uid without a mapping is 65534.
 */
#ifndef NET_PEER_H
#define NET_PEER_H

#include <stdint.h>
#include <sys/types.h>

#include "net/address.h"

/* A netlink socket for asking the kernel. Belongs to one thread. */
struct peer_asker;

struct peer_asker *peer_asker_new(void);
void peer_asker_free(struct peer_asker *p);

/* Can the kernel tell the owners of TCP sockets? peer_asker_new() has tested it. */
bool peer_asker_works(const struct peer_asker *p);

enum peer_kind {
    PEER_TOLD, /* uid is the owner's */
    /* On this machine, but its process has closed the socket or cannot be seen. */
    PEER_UNTOLD,
    PEER_REMOTE, /* on another machine */
};

struct peer {
    enum peer_kind kind;
    uid_t uid;
    struct address from; /* not for Unix sockets; they have only the family */
};

/* A connection that was just accepted. */
struct newcomer {
    int fd;
    const struct address *from; /* the address it was accepted from */
    const struct address *to;   /* its local address; NULL: fd is asked */
};

enum { PEER_MAX_AT_ONCE = 16 };

/* Finds out whose the n accepted connections are (n <= PEER_MAX_AT_ONCE). It takes two system calls
 * for all TCP connections together. */
void peer_ask(struct peer_asker *p, const struct newcomer all[], size_t n, struct peer out[]);

#endif
