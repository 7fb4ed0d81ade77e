/*
 * link_field: links in the fields of messages, whole or inside of a batch. Pure.
 */
#ifndef SF_LINK_FIELD_H
#define SF_LINK_FIELD_H

#include "base/buf.h"
#include "sf/link_place.h"

/* Each appends the field's value as it is for the other side. */
void link_write_url(const struct link_rules *rules, struct slice value, struct buf *out);
void link_write_targets(const struct link_rules *rules, struct slice value,
                        struct buf *out); /* RFC 8288, 3: of Link, in <> */
void link_write_host(const struct link_rules *rules, struct slice value,
                     struct buf *out); /* of Host */

#endif
