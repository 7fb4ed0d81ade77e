/*
 * library: http-parser reads a head that our reader has accepted. It has to
 * accept the head too, and to find the same framing in it. If not, abort().
 */
#ifndef FUZZ_LIBRARY_H
#define FUZZ_LIBRARY_H

#include <stdlib.h>

#include <http_parser.h>

#include "http/head.h"

static inline void library_feed(struct http_parser *p, struct slice bytes)
{
    static const struct http_parser_settings silent;

    if (http_parser_execute(p, &silent, bytes.p, bytes.n) != bytes.n ||
        HTTP_PARSER_ERRNO(p) != HPE_OK)
        abort();
}

/* Compares what the library found, once it has read the whole head, with h. */
static inline void library_agrees(const struct http_parser *p, const struct head *h)
{
    if (p->http_major != 1 || p->http_minor != h->minor ||
        ((p->flags & F_CHUNKED) != 0) != h->chunked ||
        (h->has_length && p->content_length != h->content_length))
        abort();
}

#endif
