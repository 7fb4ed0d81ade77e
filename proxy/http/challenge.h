/*
 * challenge: how a server or a proxy asks who calls (RFC 9110, 11.3): the
 * members of WWW-Authenticate and Proxy-Authenticate. Pure.
 */
#ifndef HTTP_CHALLENGE_H
#define HTTP_CHALLENGE_H

#include "base/buf.h"

struct challenge {
    struct slice scheme;
    struct slice token;  /* of schemes that have one (token68) */
    struct slice params; /* of the others: name=value, ... */
};

/* Takes the next one off *rest; false: there is none, or none that can be read. */
bool challenge_next(struct slice *rest, struct challenge *out);

bool challenge_is(const struct challenge *c, const char *scheme);

/* The value of a parameter, without quotes; false if it is not there. Appends to *out. */
bool challenge_param(const struct challenge *c, const char *name, struct buf *out);

#endif
