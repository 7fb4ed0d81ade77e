/*
 * caller_id: who is at the other end of a caller's connection, as far as the
 * proxy had to find out: the user that owns the caller's socket, or the
 * caller's address. A small value, kept with each connection for the log.
 */
#ifndef CALLER_CALLER_ID_H
#define CALLER_CALLER_ID_H

#include "net/peer.h"

enum caller_kind { CALLER_UNKNOWN, CALLER_UID, CALLER_IPV4, CALLER_IPV6 };

struct caller_id {
    enum caller_kind kind;
    union {
        uid_t uid;
        unsigned char ip[16]; /* in network order, the first four bytes for IPv4 */
    };
};

/* For a connection whose user the kernel was asked for. */
struct caller_id caller_id_of_peer(const struct peer *p);

/* For a connection of which only the address is known. */
struct caller_id caller_id_of_address(const struct address *from);

enum { CALLER_ID_TEXT_SIZE = 64 };

/* Writes "uid:1000", "addr:192.0.2.1" or "addr:2001:db8::1"; an empty text if nothing is known. */
void caller_id_text(const struct caller_id *c, char out[CALLER_ID_TEXT_SIZE]);

#endif
