/*
 * connect: handles a CONNECT. A CONNECT to a configured server is answered
 * under a certificate of the local CA, and the requests inside it are served
 * like all others. If the target is listed (connect-allow), bytes may be passed
 * through. Everything else is refused.
 */
#ifndef CALLER_CONNECT_H
#define CALLER_CONNECT_H

#include "caller/client.h"
#include "policy/guard.h"

#define CONNECT_ESTABLISHED "HTTP/1.1 200 Connection established\r\n\r\n"

/* The outcome of a CONNECT. */
enum connect_way {
    CONNECT_NOWHERE, /* refused */
    CONNECT_INSIDE,  /* to a configured server: its requests are served */
    CONNECT_THROUGH, /* to *to: bytes are passed through */
};

/* Judges a CONNECT by its head alone. CONNECT_NOWHERE: *why has the reason. CONNECT_THROUGH: *to is
 * the target. listener_tenant: the tenant of a listener that serves only one; otherwise NULL. */
enum connect_way connect_judge(const struct guard_view *v, const char *listener_tenant,
                               const struct head *h, struct target *target,
                               const struct endpoint **to, struct failure *why);

/* Serves a CONNECT that is not inside another CONNECT. Returns NULL if it was answered, so that the
 * client is done with it. Otherwise returns the endpoint that the caller may have a tunnel to; the
 * caller has no answer yet. */
const struct endpoint *connect_serve(struct client *c, const struct client_request *r);

#endif
