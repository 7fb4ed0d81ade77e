/*
 * resolve: looks up names without blocking a loop.
 *
 * getaddrinfo() runs in a few threads of the process (helpers.h), so names
 * resolve as in every other program of the machine (hosts file, VPN, mDNS).
 * Each loop has a resolver of its own. Its cache is short, because
 * SuccessFactors changes its addresses.
 */
#ifndef NET_RESOLVE_H
#define NET_RESOLVE_H

#include "base/fail.h"
#include "net/address.h"
#include "net/loop.h"

enum { RESOLVE_MAX = 16 };

/* The addresses in the order in which to try them: the families alternate (RFC 8305, 4). */
struct resolved {
    int count;
    struct address addresses[RESOLVE_MAX];
};

struct resolver;
struct lookup;

/* cache_ms: how long an answer is used for new connections; 0: never. */
struct resolver *resolver_new(struct loop *l, int64_t cache_ms);
void resolver_set_cache(struct resolver *r, int64_t cache_ms);
void resolver_free(struct resolver *r);

/* Fills *out without a lookup. False if host is neither an IP address nor in the cache. */
bool resolver_knows(struct resolver *r, const char *host, int port, struct resolved *out);

/* found == NULL: *why has the reason. Not called inside resolver_lookup(). */
typedef void resolve_done(void *ctx, const struct resolved *found, const struct failure *why);
struct lookup *resolver_lookup(struct resolver *r, const char *host, int port, resolve_done *done,
                               void *ctx);
void lookup_cancel(struct lookup *l); /* `done` is not called any more */

#endif
