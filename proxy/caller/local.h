/*
 * local: a service that answers requests itself, by a function, without an API
 * server.
 */
#ifndef CALLER_LOCAL_H
#define CALLER_LOCAL_H

#include "caller/client.h"
#include "http/reply.h"

struct local_request {
    const struct head *head;
    struct target target;
    SSL *tls;                /* the caller's TLS connection; NULL: none */
    struct clients *clients; /* of the worker that serves the request */
    const struct client_door *door;
    const struct address *own; /* see client_own_address() */
};

/* Fills *out. *out may point into body and fields, which are empty before and freed afterwards. The
 * request's body is not read. */
typedef void local_answer(void *ctx, const struct local_request *r, struct reply *out,
                          struct buf *body, struct buf *fields);

/* Returns false if the request is refused; *why is the answer then. */
typedef bool local_guard(void *ctx, const struct local_request *r, struct failure *why);

/* Use it as the ctx of a door with local_service. */
struct local {
    local_answer *answer;
    local_guard *guard; /* NULL: every well-formed request is answered */
    void *ctx;
    bool silent; /* its exchanges are not recorded */
};

extern const struct client_service local_service;

#endif
