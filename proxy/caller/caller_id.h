/*
 * caller_id: who is at the other end of a caller's connection, as far as the
 * proxy had to find out: the user to whom the socket belongs, or the address.
 * A small value, kept for each connection, for the log.
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

/* Of one that the kernel was asked for. */
struct caller_id caller_id_of_peer(const struct peer *p);

/* Of one of which only the address is known. */
struct caller_id caller_id_of_address(const struct address *from);

enum { CALLER_ID_TEXT_SIZE = 64 };

/* "uid:1000", "addr:192.0.2.1", "addr:2001:db8::1"; empty: unknown. */
void caller_id_text(const struct caller_id *c, char out[CALLER_ID_TEXT_SIZE]);

#endif
