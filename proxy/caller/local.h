/*
 * local: a service that answers requests itself, from a function, in place of
 * a server behind it.
 */
#ifndef CALLER_LOCAL_H
#define CALLER_LOCAL_H

#include "caller/client.h"
#include "http/reply.h"

struct local_request {
    const struct head *head;
    struct target target;
    SSL *tls;                /* the caller's; NULL: plain */
    struct clients *clients; /* of the worker that serves it */
    const struct client_door *door;
    const struct address *own; /* see client_own_address() */
};

/* Fills *out; body and fields are its room (empty before, freed after), which *out may point into.
 * The request's body is not looked at. */
typedef void local_answer(void *ctx, const struct local_request *r, struct reply *out,
                          struct buf *body, struct buf *fields);

/* May the request pass? If not, *why becomes the answer. */
typedef bool local_guard(void *ctx, const struct local_request *r, struct failure *why);

/* Use it as the ctx of a door with local_service. */
struct local {
    local_answer *answer;
    local_guard *guard; /* NULL: whatever can be read may pass */
    void *ctx;
    bool silent; /* its exchanges are not recorded */
};

extern const struct client_service local_service;

#endif
