/*
 * challenge: how a server or a proxy asks for credentials (RFC 9110, 11.3): the
 * members of WWW-Authenticate and Proxy-Authenticate. Pure.
 */
#ifndef HTTP_CHALLENGE_H
#define HTTP_CHALLENGE_H

#include "base/buf.h"

struct challenge {
    struct slice scheme;
    struct slice token;  /* for schemes with one (token68) */
    struct slice params; /* for other schemes: name=value, ... */
};

/* Takes the next challenge from *rest. False: there is none, or it cannot be read. */
bool challenge_next(struct slice *rest, struct challenge *out);

bool challenge_is(const struct challenge *c, const char *scheme);

/* Appends the value of a parameter, without quotes. False: there is no such parameter. */
bool challenge_param(const struct challenge *c, const char *name, struct buf *out);

#endif
