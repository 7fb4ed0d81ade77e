/*
 * coding: decodes content codings (RFC 9110, 8.4.1) with zlib: gzip, and
 * deflate with or without zlib's header, because senders disagree about it.
 */
#ifndef HTTP_CODING_H
#define HTTP_CODING_H

#include "base/status.h"
#include "http/head.h"

enum coding {
    CODING_IDENTITY,
    CODING_GZIP,
    CODING_DEFLATE,
    CODING_OTHER, /* unknown, or several codings */
};

enum coding coding_of(const struct head *h);

struct decoder;
struct decoder *decoder_new(enum coding c); /* c: CODING_GZIP or CODING_DEFLATE */
void decoder_free(struct decoder *d);       /* NULL is allowed */

bool decoder_is_fresh(const struct decoder *d); /* nothing was decoded yet */

enum decoded {
    DECODED_MORE, /* the input is used up */
    DECODED_FULL, /* the room is full: call again with new room */
    DECODED_END,  /* the coded content is complete */
    DECODED_BAD,  /* damaged */
};

/* Moves *in past the bytes used and writes at most `room` bytes to out; *n: the number written. */
enum decoded decoder_run(struct decoder *d, struct slice *in, char *out, size_t room,
                         size_t *n) MUST_CHECK;

#endif
