/*
 * framing: how long a body is (RFC 9112, 6.3). Decided from heads that
 * h1_reader has accepted, so nothing is ambiguous any more.
 */
#ifndef HTTP_FRAMING_H
#define HTTP_FRAMING_H

#include "http/head.h"

enum framing {
    FRAMING_NONE,    /* no body */
    FRAMING_LENGTH,  /* Content-Length */
    FRAMING_CHUNKED, /* Transfer-Encoding: chunked */
    FRAMING_CLOSE,   /* until the connection ends; responses only */
};

enum framing framing_of_request(const struct head *h);
enum framing framing_of_response(const struct head *h, enum method request_method);

/* True if such a response has no body, whatever its fields say (RFC 9112, 6.3, rule 1). */
bool framing_is_bodiless(int status, enum method request_method);

#endif
