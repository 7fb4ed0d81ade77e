/*
 * link_head: the heads inside a batch: that of a part (RFC 2046, 5.1), and
 * inside it that of a request or response (RFC 9112, 2). Lines may end with LF
 * only. Private to link*.c.
 */
#ifndef SF_LINK_HEAD_H
#define SF_LINK_HEAD_H

#include "base/buf.h"
#include "sf/link_place.h"

struct link_head {
    struct slice text;         /* with the empty line after it, if there is one */
    struct slice content_type; /* it may be folded, so it may contain line ends */
    bool is_message;           /* its first line is a request or status line */
    bool coded;                /* the content has a content or transfer coding */
    bool has_length;
};

/* Moves *rest past the head at its beginning. False: no empty line ends the head, so all of *rest
 * belongs to it. */
bool link_head_read(struct slice *rest, bool is_message, struct link_head *out);

/* Appends the head with its links rewritten. grown: by how many bytes its content has become
 * longer, modulo 2^64. with_length false: leaves out the length. */
void link_head_write(const struct link_rules *rules, const struct link_head *h, bool with_length,
                     uint64_t grown, struct buf *out);

#endif
