/*
 * link_head: the heads within a batch: the one of a part (RFC 2046, 5.1), and in it that of a
 * request or a response (RFC 9112, 2). Lines may end with LF alone. Private to link*.c.
 */
#ifndef SF_LINK_HEAD_H
#define SF_LINK_HEAD_H

#include "base/buf.h"
#include "sf/link_place.h"

struct link_head {
    struct slice text;         /* with the empty line after it, if there is one */
    struct slice content_type; /* its value may have line ends in it, for it may be folded */
    bool is_message;           /* it begins with a request line or status line */
    bool coded;                /* a content or transfer coding is upon the content */
    bool has_length;
};

/* Moves *rest past the head that it begins with. False: no empty line ends that, so all of *rest
 * was taken for it. */
bool link_head_read(struct slice *rest, bool is_message, struct link_head *out);

/* Appends the head as it is for the other side. grown: by how much what it says the length of is
 * longer, modulo 2^64; with_length false: without saying that. */
void link_head_write(const struct link_rules *rules, const struct link_head *h, bool with_length,
                     uint64_t grown, struct buf *out);

#endif
