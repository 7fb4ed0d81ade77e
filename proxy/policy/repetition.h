/*
 * repetition: may a request whose connection was lost be sent once more, over
 * another connection? RFC 9110, 9.2.2, and stricter: only where the old
 * connection was a kept one, which the server may close at any time (RFC 9112,
 * 9.3.1), or where nothing was sent yet; once; and never after a byte of an
 * answer. Pure.
 */
#ifndef POLICY_REPETITION_H
#define POLICY_REPETITION_H

#include <stdbool.h>

struct repetition {
    bool reused;     /* the connection had served another request before */
    bool sent;       /* something of the request was handed to it */
    bool answered;   /* a byte of an answer has come */
    bool repeated;   /* it was repeated for this reason before */
    bool may_rewind; /* nothing was sent, or all of it can be sent again and is idempotent */
};

bool repetition_is_allowed(const struct repetition *r);

#endif
