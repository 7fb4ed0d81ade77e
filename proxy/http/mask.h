/*
 * mask: makes request paths fit for a log.
 *
 * OData puts keys into paths, and keys are personal data. So every quoted
 * literal and every key predicate is replaced by "(...)". Queries are not
 * logged at all.
 */
#ifndef HTTP_MASK_H
#define HTTP_MASK_H

#include "base/buf.h"

/* Appends the path (without query) masked. Bytes that are not visible ASCII are percent-encoded. */
void mask_path(struct buf *out, struct slice path);

/* Appends the path unmasked. Bytes that are not visible ASCII are percent-encoded. */
void mask_invisible(struct buf *out, struct slice path);

/* The part of a request target that may be logged: without the query, and without anything that may
 * be user and password, even in a malformed target. */
struct slice mask_target(struct slice target);

#endif
