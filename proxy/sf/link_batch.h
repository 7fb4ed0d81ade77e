/*
 * link_batch: rewrites links in an OData $batch (multipart/mixed, RFC 2046,
 * 5.1; OData 2.0 Batch Processing). Its parts are HTTP requests or responses.
 * Links are changed in request lines, fields and contents, and the lengths of
 * the parts are corrected.
 *
 * Pure. A part of up to part_max bytes is collected, because its length comes
 * before it. A larger part is passed on as it comes (link_part.h).
 */
#ifndef SF_LINK_BATCH_H
#define SF_LINK_BATCH_H

#include "base/buf.h"
#include "sf/link.h"

enum {
    LINK_BATCH_PART = 512 * 1024,
    LINK_BATCH_DEPTH = 3,
    /* Bytes that one call takes and returns, apart from a part that it completes. */
    LINK_BATCH_TURN = 64 * 1024,
};

struct link_batch;

/* Is it the Content-Type of a batch with a valid boundary? */
bool link_batch_is(struct slice content_type);

/* For a body with that Content-Type; NULL if it is not a batch. rules must outlive it. */
struct link_batch *link_batch_new(struct slice content_type, const struct link_rules *rules,
                                  size_t part_max);
void link_batch_free(struct link_batch *b); /* NULL is allowed */

/* Moves *in past the bytes used and appends the output that is ready. True: there is more output,
 * so call again. After all input, call link_batch_finish() until it returns false. */
bool link_batch_run(struct link_batch *b, struct slice *in, struct buf *out) MUST_CHECK;
bool link_batch_finish(struct link_batch *b, struct buf *out) MUST_CHECK;

/* Was a link left unchanged? That happens far behind the beginning of a part that is larger than
 * part_max and has a length, if the new link would be longer. */
bool link_batch_left_any(const struct link_batch *b);

#endif
