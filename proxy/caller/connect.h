/*
 * connect: what becomes of a CONNECT. One to a configured server is answered
 * under the local CA's certificate, and the requests inside are served like
 * all others; to other targets, if they are listed, bytes may be passed
 * through; the rest is refused.
 */
#ifndef CALLER_CONNECT_H
#define CALLER_CONNECT_H

#include "caller/client.h"
#include "policy/guard.h"

#define CONNECT_ESTABLISHED "HTTP/1.1 200 Connection established\r\n\r\n"

/* Where a CONNECT leads. */
enum connect_way {
    CONNECT_NOWHERE, /* it is refused */
    CONNECT_INSIDE,  /* to a configured server: requests come inside */
    CONNECT_THROUGH, /* to *to: bytes are passed on */
};

/* By its head alone; NOWHERE: *why says why. listener_tenant: whose own listener it is, or NULL. */
enum connect_way connect_judge(const struct guard_view *v, const char *listener_tenant,
                               const struct head *h, struct target *target,
                               const struct endpoint **to, struct failure *why);

/* Judges a CONNECT that is not inside of another one. NULL: it was answered, and the client is done
 * with it; else the caller may have a tunnel to that endpoint, and has no answer yet. */
const struct endpoint *connect_serve(struct client *c, const struct client_request *r);

#endif
