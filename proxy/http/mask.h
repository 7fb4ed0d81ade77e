/*
 * mask: request paths as they may be in a log.
 *
 * OData puts keys into paths, and keys are personal data: every quoted literal
 * and every key predicate becomes "(...)". The query never comes here.
 */
#ifndef HTTP_MASK_H
#define HTTP_MASK_H

#include "base/buf.h"

/* Appends the path (without '?' and what follows) masked; what is not visible ASCII is
 * percent-encoded. */
void mask_path(struct buf *out, struct slice path);

/* Appends the path as it is, but for the percent-encoding of what is not visible ASCII. */
void mask_invisible(struct buf *out, struct slice path);

/* The part of a request target that may be logged: without query, and without what may be user and
 * password, however broken it is. */
struct slice mask_target(struct slice target);

#endif
