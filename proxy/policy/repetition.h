/*
 * repetition: may a request whose connection was lost be sent again over
 * another connection? RFC 9110, 9.2.2 allows it for idempotent requests. The
 * rules here are stricter: the old connection was a kept one, which the server
 * may close at any time (RFC 9112, 9.3.1), or nothing was sent on it; no byte
 * of an answer has come; and the request was not repeated before. Pure.
 */
#ifndef POLICY_REPETITION_H
#define POLICY_REPETITION_H

#include <stdbool.h>

struct repetition {
    bool reused;      /* another request had used the connection before */
    bool sent;        /* some of the request was written to the connection */
    bool answered;    /* a byte of an answer has come */
    bool lost_before; /* it was repeated before because a connection was lost */
    /* Nothing was sent, or the request is idempotent and all of it can be sent again. */
    bool may_rewind;
};

bool repetition_is_allowed(const struct repetition *r);

#endif
