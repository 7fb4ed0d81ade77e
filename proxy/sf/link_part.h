/*
 * link_part: one part of a batch, after its delimiter: its heads and its
 * content. Private to link*.c.
 *
 * If the end of a part is known, the part is written with the right lengths. Of
 * a larger part the lengths are written before its end is known. If links
 * become shorter, the lengths stay, and blanks are added after the content;
 * they have no meaning in JSON, in XML and after the last delimiter. If links
 * may become longer, there are two cases. If the part's beginning has a link,
 * the part is written without a length, because its delimiter ends it (RFC
 * 2046, 5.1.1). Otherwise the part is left unchanged.
 */
#ifndef SF_LINK_PART_H
#define SF_LINK_PART_H

#include "base/buf.h"
#include "sf/link_place.h"

enum { LINK_PART_TURN = 64 * 1024 }; /* most blanks that one call appends */

struct link_batch;
struct link_part_common;

/* The functions for a batch inside a part. A batch consists of parts, so it is the higher layer,
 * and its functions are passed down. They work as in link_batch.h; open() returns NULL if it is not
 * a batch. */
struct link_part_inner {
    struct link_batch *(*open)(struct slice content_type, struct link_part_common *common,
                               int depth);
    bool (*run)(struct link_batch *b, struct slice *in, struct buf *out);
    bool (*finish)(struct link_batch *b, struct buf *out);
    bool (*has_changed)(const struct link_batch *b);
    void (*free)(struct link_batch *b);
};

/* Shared by the parts of all levels of a batch. */
struct link_part_common {
    const struct link_part_inner *inner;
    const struct link_rules *rules;
    size_t part_max;
    bool left; /* a link was left unchanged */
};

/* Appends a complete part. Returns true if something in it was changed. */
bool link_part_write(struct link_part_common *common, int depth, struct slice text,
                     struct buf *out);

/* Begins a part that is not complete; text is its beginning. The user passes the rest to
 * link_part_run(). */
struct link_part *link_part_begin(struct link_part_common *common, int depth, struct slice text,
                                  struct buf *out);
void link_part_free(struct link_part *p); /* NULL is allowed */
bool link_part_has_changed(const struct link_part *p);

/* Moves *text past the bytes used. True: there is more to append, so call again first. At the end
 * of the part, call link_part_finish() until it returns false. */
bool link_part_run(struct link_part *p, struct slice *text, struct buf *out);
bool link_part_finish(struct link_part *p, struct buf *out);

#endif
