/*
 * mask: request paths as they may stand in a log.
 *
 * OData puts keys into paths, and keys are personal data: every quoted literal
 * and every key predicate becomes "(...)". The query never comes here.
 */
#ifndef HTTP_MASK_H
#define HTTP_MASK_H

#include "base/buf.h"

/* Appends the path (without '?' and what follows) masked; control characters become '?'. */
void mask_path(struct buf *out, struct slice path);

#endif
