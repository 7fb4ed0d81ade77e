/*
 * chunked: a strict decoder for chunked bodies (RFC 9112, 7.1).
 *
 * Chunk extensions are dropped. Trailers are collected, so that the user can
 * check them before they are passed on. http-parser is not used for bodies,
 * because it reports no positions and accepts garbage after a chunk.
 */
#ifndef HTTP_CHUNKED_H
#define HTTP_CHUNKED_H

#include "base/buf.h"

enum chunked_result {
    CHUNKED_MORE,    /* the input is used up; the body continues */
    CHUNKED_DATA,    /* *data is the next piece of the body */
    CHUNKED_END,     /* the body is complete; `trailers` has its trailers */
    CHUNKED_REFUSED, /* malformed, or beyond the limits */
};

/* All zero before the first byte, except max_trailers. */
struct chunked {
    int state;
    unsigned digits;     /* digits of the chunk size so far */
    unsigned extension;  /* bytes of chunk extension on this line */
    uint64_t left;       /* bytes of this chunk still to come */
    size_t line;         /* bytes of the current trailer line */
    size_t max_trailers; /* bytes of the trailer section */
    struct buf trailers; /* lines with CRLF, without the empty line */
};

/* Reads from *in until there is something to return, and moves *in past the bytes used. */
enum chunked_result chunked_read(struct chunked *c, struct slice *in,
                                 struct slice *data) MUST_CHECK;

/* Takes back the last n bytes of the last piece of data; they will come again. */
void chunked_put_back(struct chunked *c, size_t n);

void chunked_free(struct chunked *c);

#endif
