/*
 * link_field: rewrites links in fields, of whole messages or inside a batch.
 * Pure.
 */
#ifndef SF_LINK_FIELD_H
#define SF_LINK_FIELD_H

#include "base/buf.h"
#include "sf/link_place.h"

/* Each function appends the field's value with its links rewritten. */
void link_write_url(const struct link_rules *rules, struct slice value, struct buf *out);
void link_write_targets(const struct link_rules *rules, struct slice value,
                        struct buf *out); /* for Link (RFC 8288, 3): URLs in <> */
void link_write_host(const struct link_rules *rules, struct slice value,
                     struct buf *out); /* for Host */

#endif
