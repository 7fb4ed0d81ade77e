/*
 * link_part: one part of a batch, from behind its delimiter: its heads and its
 * content. Private to link*.c.
 *
 * A part whose end is known is written whole, with the lengths that it has then.
 * Of a larger one the lengths are written before its end is known. Where links
 * get shorter they stay, and blanks behind the content, which mean nothing in
 * JSON, XML and behind the last delimiter, make up for what is missing. Where
 * links may get longer there are two cases: if one was changed in the part's
 * beginning, the part does without a length, for its delimiter ends it (RFC
 * 2046, 5.1.1); if not, it is left as it is.
 */
#ifndef SF_LINK_PART_H
#define SF_LINK_PART_H

#include "sf/link_batch.h"

/* What all levels of a batch have in common. */
struct link_batch_common {
    const struct link_rules *rules;
    size_t part_max;
    bool left; /* a link was left as it is */
};

/* The batch in it that has this Content-Type; NULL: it is none. */
struct link_batch *link_batch_within(struct slice content_type, struct link_batch_common *common,
                                     int depth);
bool link_batch_has_changed(const struct link_batch *b);

/* Appends the part; true: something was changed in it. */
bool link_part_write(struct link_batch_common *common, int depth, struct slice text,
                     struct buf *out);

/* The same for a part of which text is the beginning. The caller feeds the rest. */
struct link_part *link_part_begin(struct link_batch_common *common, int depth, struct slice text,
                                  struct buf *out);
void link_part_free(struct link_part *p); /* NULL is no error */
bool link_part_has_changed(const struct link_part *p);

/* Moves *text over what was used. True: there is more to append, call again before anything else.
 * link_part_finish() is for the end of the part, until it returns false. */
bool link_part_run(struct link_part *p, struct slice *text, struct buf *out);
bool link_part_finish(struct link_part *p, struct buf *out);

#endif
