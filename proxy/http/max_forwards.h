/*
 * max_forwards: how many more times a request may be forwarded (RFC 9110,
 * 7.6.2). Pure.
 */
#ifndef HTTP_MAX_FORWARDS_H
#define HTTP_MAX_FORWARDS_H

#include "base/fail.h"
#include "http/head.h"

/* Reads Max-Forwards, which applies to OPTIONS only, because TRACE is refused. *left: UINT64_MAX if
 * there is none, or if the number is larger. Returns false with the reason in *why if it cannot be
 * read. */
bool max_forwards_read(const struct head *request, uint64_t *left, struct failure *why) MUST_CHECK;

#endif
