/*
 * admission: may this connection be served: by whose it is (allow-uid), by how
 * many its caller has (max-connections-per-caller), by how many there are at
 * all (max-connections)? Decided once, when it was accepted.
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
    struct census_entry *of_caller; /* NULL: its caller's are not counted */
};

/* Where it takes its place, and who may. */
struct admission_rule {
    struct quota *places; /* a caller's share is limited if they are those of max-connections */
    const struct allowed_uids *uids;
};

/* Is the system to be asked whose a connection from there is (peer_ask())? */
bool admission_needs_peer(const struct clients *all, const struct admission_rule *rule,
                          const struct address *from);

/* p: what the system said; NULL: it was not asked. False: the connection is to be told why and
 * closed, and takes no place. */
bool admission_take(struct clients *all, const struct admission_rule *rule,
                    const struct address *from, const struct peer *p, struct admission *out,
                    struct failure *why) MUST_CHECK;
void admission_give(struct clients *all, struct admission *a);

/* Can the n workers keep to the allow-uid of c? all: the callers of each. */
enum status admission_check(struct clients *const *all, size_t n, const struct config *c,
                            struct diag *why) MUST_CHECK;

/* Says in the log if they cannot keep to the default one. */
void admission_warn(struct clients *const *all, size_t n, const struct config *c);

#endif
