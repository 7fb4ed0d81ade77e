/*
 * chunked: the decoder for chunked bodies (RFC 9112, 7.1), strict.
 *
 * Chunk extensions are dropped; trailers are gathered, so that the caller can
 * judge them before they go on. http-parser is not used for bodies: it tells no
 * positions and lets junk pass after a chunk.
 */
#ifndef HTTP_CHUNKED_H
#define HTTP_CHUNKED_H

#include "base/buf.h"

enum chunked_result {
    CHUNKED_MORE,    /* all input was used; the body goes on */
    CHUNKED_DATA,    /* *data is a piece of the body */
    CHUNKED_END,     /* the body is complete; trailers holds its trailer section */
    CHUNKED_REFUSED, /* not well-formed, or larger than the limits allow */
};

/* All zero before the first byte, but for max_trailers. */
struct chunked {
    int state;
    unsigned digits;     /* of the chunk size that is being read */
    unsigned extension;  /* bytes of chunk extension on this line */
    uint64_t left;       /* bytes to come of this chunk */
    size_t line;         /* bytes of the current trailer line */
    size_t max_trailers; /* bytes of the trailer section */
    struct buf trailers; /* lines with CRLF, without the empty line */
};

/* Reads from *in, which is moved over what was used, until there is something to tell. */
enum chunked_result chunked_read(struct chunked *c, struct slice *in,
                                 struct slice *data) MUST_CHECK;

/* The last n bytes of the last piece of data have not been read after all: they come again. */
void chunked_put_back(struct chunked *c, size_t n);

void chunked_free(struct chunked *c);

#endif
