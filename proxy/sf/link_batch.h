/*
 * link_batch: links in an OData $batch (multipart/mixed, RFC 2046, 5.1; OData
 * 2.0 Batch Processing), whose parts are HTTP requests or responses: in request
 * lines, fields and contents, with the lengths that say how long these are.
 *
 * Pure. Parts of up to part_max bytes are collected, since their length is
 * before them; larger ones go by as they come (see link_part.h).
 */
#ifndef SF_LINK_BATCH_H
#define SF_LINK_BATCH_H

#include "base/buf.h"
#include "sf/link.h"

enum {
    LINK_BATCH_PART = 512 * 1024,
    LINK_BATCH_DEPTH = 3,
    LINK_BATCH_TURN = 64 * 1024, /* what one call takes and yields, beside a part that it ends */
};

struct link_batch;

/* Is that the Content-Type of one, with a sound boundary? */
bool link_batch_is(struct slice content_type);

/* For a body of that Content-Type; NULL if it is none. rules must outlive it. */
struct link_batch *link_batch_new(struct slice content_type, const struct link_rules *rules,
                                  size_t part_max);
void link_batch_free(struct link_batch *b); /* NULL is allowed */

/* Moves *in over what was used and appends what can go out by now. True: there is more of it, call
 * again. link_batch_finish(), when all was used, is for the end. */
bool link_batch_run(struct link_batch *b, struct slice *in, struct buf *out) MUST_CHECK;
bool link_batch_finish(struct link_batch *b, struct buf *out) MUST_CHECK;

/* Was a link left as it is, because it is far after the beginning of a part that is larger
 * than part_max, says its length, and would have got longer? */
bool link_batch_left_any(const struct link_batch *b);

#endif
