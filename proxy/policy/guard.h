/*
 * guard: may this request use this listener at all? Pure.
 *
 * If tokens are configured, a caller has to know one; it is asked for before
 * anything tells what is configured. The CONNECT that gave it speaks for all
 * that comes inside of it, as long as the token is configured.
 *
 * A page in a browser on the same machine can send requests to localhost, by
 * itself (Origin, Sec-Fetch-Site) or after its name was made to resolve to
 * 127.0.0.1 (DNS rebinding: Host). Neither may reach the tenant's data.
 */
#ifndef POLICY_GUARD_H
#define POLICY_GUARD_H

#include "config/config.h"

/* What an intercepted CONNECT has fixed for all requests inside of it. */
struct guard_inside {
    struct authority target; /* a configured server; its host is in lower case */
    struct slice token;      /* by which it was admitted; p NULL: none was asked for */
    bool secure;             /* TLS was begun in it: what is inside is https */
    bool misnamed;           /* that was for another host (SNI) */
};

struct guard_view {
    const struct config *config;
    bool unix_listener;        /* no page can reach one: its Host is not judged */
    int port;                  /* of the listener; 0: a Unix socket, or not of interest */
    bool answers_itself;       /* nothing is asked for elsewhere: every URL has to name it */
    bool remote_listener;      /* other machines can reach it */
    const struct address *own; /* where the caller came in, if that is remote; NULL: not known */
    const struct guard_inside *inside; /* the CONNECT in which it came; NULL: none */
    bool tells_nothing;                /* what is asked for needs no token */
};

/* Is that a name of the proxy? One of which no page can have made another meaning (DNS rebinding):
 * an address is what it is, and the others are configured. */
bool guard_is_own_name(const struct guard_view *v, const struct authority *host);

/* Is the target in absolute-form a URL of the proxy itself, at the listener by which the caller
 * came (RFC 9112, 3.2.2)? A Unix socket has the scheme's port. What is a configured server's URL,
 * too, is that. */
bool guard_names_proxy(const struct guard_view *v, const struct target *target);

/* Checks method, Origin, Sec-Fetch-Site, the caller's token, Host and what cannot be served. Inside
 * a CONNECT, Host and target must be the CONNECT's. A preflight bears no token (Fetch, 4.8): it
 * passes without, but is not to go on to a server. */
bool guard_admits(const struct guard_view *v, const struct head *request,
                  const struct target *target, struct failure *why) MUST_CHECK;

/* Checks the head of a CONNECT; what it says of its own connection does not matter. */
bool guard_admits_connect(const struct guard_view *v, const struct head *request,
                          const struct target *target, struct failure *why) MUST_CHECK;

/* Is whoever calls from another machine told apart, by a token or by that tenant's passwords?
 * tenant NULL: by a token. A configuration that does not see to it is not loaded; but a connection
 * may be older than it. */
bool guard_knows_caller(const struct guard_view *v, const struct tenant *tenant,
                        struct failure *why) MUST_CHECK;

/* Can the caller's credentials be read in one way only? Asked where the tenant's server gets them,
 * or where they can name another tenant. */
bool guard_reads_credentials(const struct guard_view *v, const struct tenant *tenant,
                             const struct head *request, struct failure *why) MUST_CHECK;

/* The page that made the request, if its origin may call; NULL: none did, or it may not. */
const struct page_origin *guard_page(const struct config *c, const struct head *request);

/* Has the request one of these tokens, in any field that bears one? For the admin listener. */
bool guard_has_token(const struct tokens *tokens, const struct head *request);

/* The token by which the request was admitted; p NULL: none is asked for. */
struct slice guard_token(const struct config *c, const struct head *request);

#endif
