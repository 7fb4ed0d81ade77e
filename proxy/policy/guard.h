/*
 * guard: may this request use this listener at all? Pure.
 *
 * If tokens are configured, a caller has to send one. The token is checked
 * before any answer reveals what is configured. The token of a CONNECT counts
 * for all requests inside it, as long as it is configured.
 *
 * A web page on the same machine can send requests to localhost: by itself
 * (Origin, Sec-Fetch-Site), or after its own name was made to resolve to
 * 127.0.0.1 (DNS rebinding: Host). Neither may reach the tenant's data.
 */
#ifndef POLICY_GUARD_H
#define POLICY_GUARD_H

#include "config/config.h"

/* What an intercepted CONNECT determines for all requests inside it. */
struct guard_inside {
    struct authority target; /* the CONNECT's target, a configured server; in lower case */
    struct slice token;      /* the token of the CONNECT; p NULL: none was asked for */
    bool secure;             /* TLS was begun inside, so the requests are https */
    bool misnamed;           /* TLS was begun for another host (SNI) */
};

struct guard_view {
    const struct config *config;
    bool unix_listener; /* no web page can reach it, so Host is not checked */
    int port;           /* of the listener; 0: a Unix socket, or not needed */
    /* The listener answers by itself, so every URL has to name the proxy. */
    bool answers_itself;
    bool remote_listener; /* other machines can reach it */
    /* The local address of the connection, if the listener is a remote one; NULL: not known. */
    const struct address *own;
    const struct guard_inside *inside; /* the CONNECT that the request is inside; NULL: none */
    bool tells_nothing;                /* the answer needs no token, because it reveals nothing */
};

/* Is host a name of the proxy whose meaning no web page can change (DNS rebinding)? Those are
 * addresses and configured names. */
bool guard_is_own_name(const struct guard_view *v, const struct authority *host);

/* Is the target in absolute-form a URL of the proxy itself, at the listener that the caller uses
 * (RFC 9112, 3.2.2)? For a Unix socket the scheme's default port counts. A URL that is also a
 * configured server's means the server. */
bool guard_names_proxy(const struct guard_view *v, const struct target *target);

/* Checks method, Origin, Sec-Fetch-Site, the caller's token, Host, and whether the request is of a
 * kind that can be served. Inside a CONNECT, Host and target must be the CONNECT's. A CORS
 * preflight has no token (Fetch, 4.8), so it passes without one, but it must not be sent to a
 * server. Returns false with the reason in *why. */
bool guard_admits(const struct guard_view *v, const struct head *request,
                  const struct target *target, struct failure *why) MUST_CHECK;

/* Checks the head of a CONNECT. Its Connection field does not matter. */
bool guard_admits_connect(const struct guard_view *v, const struct head *request,
                          const struct target *target, struct failure *why) MUST_CHECK;

/* On a listener that other machines can reach, can the caller be identified: by a token, or by that
 * tenant's passwords? tenant NULL: only by a token. A configuration without either is not loaded,
 * but the connection may be older than the configuration. */
bool guard_knows_caller(const struct guard_view *v, const struct tenant *tenant,
                        struct failure *why) MUST_CHECK;

/* Can the caller's credentials be read in one way only? This matters if the tenant's server gets
 * them, or if they can name another tenant. */
bool guard_reads_credentials(const struct guard_view *v, const struct tenant *tenant,
                             const struct head *request, struct failure *why) MUST_CHECK;

/* The web page that made the request, if its origin is allowed (allow-origin); otherwise NULL. */
const struct page_origin *guard_page(const struct config *c, const struct head *request);

/* Has the request one of these tokens, in any field that can hold one? For the admin listener. */
bool guard_has_token(const struct tokens *tokens, const struct head *request);

/* The configured token that the request has; p NULL: none. */
struct slice guard_token(const struct config *c, const struct head *request);

#endif
