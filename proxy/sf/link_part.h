/*
 * link_part: one part of a batch, from after its delimiter: its heads and its
 * content. Private to link*.c.
 *
 * A part whose end is known is written whole, with the lengths that it has then.
 * Of a larger one the lengths are written before its end is known. Where links
 * get shorter they stay, and blanks after the content, which mean nothing in
 * JSON, XML and after the last delimiter, make up for what is missing. Where
 * links may get longer there are two cases: if one was changed in the part's
 * beginning, the part does without a length, for its delimiter ends it (RFC
 * 2046, 5.1.1); if not, it is left as it is.
 */
#ifndef SF_LINK_PART_H
#define SF_LINK_PART_H

#include "base/buf.h"
#include "sf/link_place.h"

enum { LINK_PART_TURN = 64 * 1024 }; /* the most blanks that one call appends */

struct link_batch;
struct link_part_common;

/* What a part does with a batch that is its content: the batch consists of parts, so it is
 * above them and is handed down. As in link_batch.h; open() gives NULL for what is none. */
struct link_part_inner {
    struct link_batch *(*open)(struct slice content_type, struct link_part_common *common,
                               int depth);
    bool (*run)(struct link_batch *b, struct slice *in, struct buf *out);
    bool (*finish)(struct link_batch *b, struct buf *out);
    bool (*has_changed)(const struct link_batch *b);
    void (*free)(struct link_batch *b);
};

/* What the parts of all levels of a batch have in common. */
struct link_part_common {
    const struct link_part_inner *inner;
    const struct link_rules *rules;
    size_t part_max;
    bool left; /* a link was left as it is */
};

/* Appends the part; true: something was changed in it. */
bool link_part_write(struct link_part_common *common, int depth, struct slice text,
                     struct buf *out);

/* The same for a part of which text is the beginning. The caller feeds the rest. */
struct link_part *link_part_begin(struct link_part_common *common, int depth, struct slice text,
                                  struct buf *out);
void link_part_free(struct link_part *p); /* NULL is allowed */
bool link_part_has_changed(const struct link_part *p);

/* Moves *text over what was used. True: there is more to append, call again before anything else.
 * link_part_finish() is for the end of the part, until it returns false. */
bool link_part_run(struct link_part *p, struct slice *text, struct buf *out);
bool link_part_finish(struct link_part *p, struct buf *out);

#endif
