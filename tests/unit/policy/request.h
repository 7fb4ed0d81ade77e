/* Reads a request with its target, for tests of what judges both. */
#ifndef UNIT_POLICY_REQUEST_H
#define UNIT_POLICY_REQUEST_H

#include <stdio.h>

#include "head_reader.h"
#include "http/target.h"

#define AT(url) "GET " url " HTTP/1.1\r\nHost: x\r\n"

/* request: without the empty line. The user frees the head, which is valid until the next call. */
static inline struct head *parse(const char *request, struct target *t)
{
    static char text[1024]; /* the head looks into it */
    struct failure why;

    (void)snprintf(text, sizeof(text), "%s\r\n", request);
    struct head *h = read_request(text);
    CHECK_MSG(target_parse(h, t, &why), "%s", request);
    return h;
}

#endif
