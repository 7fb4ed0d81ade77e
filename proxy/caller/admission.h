/*
 * admission: may this connection be served? That depends on its user
 * (allow-uid), on the number of connections of its caller
 * (max-connections-per-caller) and on the number of all connections
 * (max-connections). Decided once, when the connection was accepted.
 */
#ifndef CALLER_ADMISSION_H
#define CALLER_ADMISSION_H

#include "base/fail.h"
#include "caller/caller_id.h"
#include "caller/clients.h"

/* Whose a connection is, and the places that it takes. */
struct admission {
    struct caller_id caller;
    struct quota *counted;
    struct census_entry *of_caller; /* NULL: the caller's connections are not counted */
};

/* The quota that the connection counts in, and the users that may connect. */
struct admission_rule {
    /* The caller's share is limited only if this is the quota of max-connections. */
    struct quota *places;
    const struct allowed_uids *uids;
};

/* Has the system to be asked whose process the caller of a connection from there is (peer_ask())?
 */
bool admission_needs_peer(const struct clients *all, const struct admission_rule *rule,
                          const struct address *from);

/* Admits a connection and fills *out. p: what the system said about its caller; NULL: it was not
 * asked. Returns false with the reason in *why: the connection takes no place then, and has to be
 * told the reason and closed. */
bool admission_take(struct clients *all, const struct admission_rule *rule,
                    const struct address *from, const struct peer *p, struct admission *out,
                    struct failure *why) MUST_CHECK;
void admission_give(struct clients *all, struct admission *a);

/* Can the n workers keep to the allow-uid of c? all: the `clients` of each worker. ST_BAD_INPUT:
 * the kernel cannot name the user of a connection. */
enum status admission_check(struct clients *const *all, size_t n, const struct config *c,
                            struct diag *why) MUST_CHECK;

/* Logs a warning if the workers cannot keep to the default allow-uid. */
void admission_warn(struct clients *const *all, size_t n, const struct config *c);

#endif
