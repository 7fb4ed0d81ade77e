/*
 * local: a service that answers requests itself, from a function, in place of
 * a server behind it.
 */
#ifndef CORE_LOCAL_H
#define CORE_LOCAL_H

#include "core/client.h"
#include "http/reply.h"

struct local_request {
    const struct head *head;
    struct target target;
    SSL *tls; /* the caller's; NULL: plain */
};

/* Fills *out; body and fields are its room (empty before, freed after), which *out may point into.
 * The request's body is not looked at. */
typedef void local_answer(void *ctx, const struct local_request *r, struct reply *out,
                          struct buf *body, struct buf *fields);

/* Use it as the ctx of a door with local_service. */
struct local {
    local_answer *answer;
    void *ctx;
    bool silent; /* its exchanges are not recorded */
};

extern const struct client_service local_service;

#endif
