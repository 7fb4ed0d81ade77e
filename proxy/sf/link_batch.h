/*
 * link_batch: links in the answer to an OData $batch (multipart/mixed, RFC 2046,
 * 5.1; OData 2.0, 5), whose parts are HTTP responses.
 *
 * A part says how long it is, and what it holds does so again: both have to be
 * right behind the rewriting. So a part is collected, up to LINK_BATCH_PART
 * bytes; a larger one is passed on as it is. Pure.
 */
#ifndef SF_LINK_BATCH_H
#define SF_LINK_BATCH_H

#include "base/buf.h"
#include "sf/link.h"

enum { LINK_BATCH_PART = 8 * 1024 * 1024, LINK_BATCH_DEPTH = 3 };

struct link_batch;

/* Is that the Content-Type of one, with a sound boundary? */
bool link_batch_is(struct slice content_type);

/* For a body of that Content-Type; NULL if it is none. rules must outlive it. */
struct link_batch *link_batch_new(struct slice content_type, const struct link_rules *rules);
void link_batch_free(struct link_batch *b); /* NULL is no error */

/* Appends what can go out by now. */
void link_batch_run(struct link_batch *b, struct slice in, struct buf *out);
void link_batch_finish(struct link_batch *b, struct buf *out);

/* JSON or XML, by the media type without its parameters? False: neither. */
bool link_syntax_of(struct slice media_type, enum link_syntax *out);

#endif
