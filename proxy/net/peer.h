/*
 * peer: whose process is at the other end of a connection?
 *
 * For a Unix socket the kernel knows who connected. For TCP within this machine
 * Linux tells to whom the caller's own socket belongs (NETLINK_SOCK_DIAG, one
 * exact look-up, no dump). Only a socket that a process still holds counts: the
 * kernel calls one that is closed already root's. Uids are those of the user
 * namespace in which this process runs; one that it does not map is 65534.
 */
#ifndef NET_PEER_H
#define NET_PEER_H

#include <stdint.h>
#include <sys/types.h>

#include "net/address.h"

/* A socket by which the kernel is asked. Belongs to one thread. */
struct peer_asker;

struct peer_asker *peer_asker_new(void);
void peer_asker_free(struct peer_asker *p);

/* Does the kernel tell of TCP at all? It was asked for a socket that is there when p was made. */
bool peer_asker_works(const struct peer_asker *p);

enum peer_kind {
    PEER_TOLD,   /* uid says whose it is */
    PEER_UNTOLD, /* of this machine, but its process has closed it or cannot be seen */
    PEER_REMOTE, /* of another machine */
};

struct peer {
    enum peer_kind kind;
    uid_t uid;
    struct address from; /* not for Unix sockets, whose family it has */
};

/* A connection that was just accepted. */
struct newcomer {
    int fd;
    const struct address *from; /* from which it was accepted */
    const struct address *to;   /* where it came in; NULL: fd knows it */
};

enum { PEER_MAX_AT_ONCE = 16 };

/* Of n connections, with two system calls for all that are TCP. */
void peer_ask(struct peer_asker *p, const struct newcomer all[], size_t n, struct peer out[]);

#endif
