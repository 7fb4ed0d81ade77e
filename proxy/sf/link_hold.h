/*
 * link_hold: the possible beginning of a link, in JSON or XML. It is replaced,
 * passed on, or held until enough bytes have come to decide. Private to
 * link*.c.
 */
#ifndef SF_LINK_HOLD_H
#define SF_LINK_HOLD_H

#include "sf/link.h"

/* Where the pieces go. */
struct link_out {
    struct iovec *pieces;
    size_t count, room;
};

static inline bool link_out_is_full(const struct link_out *o)
{
    return o->count + LINK_PIECES_MIN > o->room;
}

static inline void link_out_add(struct link_out *o, const char *p, size_t n)
{
    if (n > 0)
        o->pieces[o->count++] = (struct iovec){(void *)(uintptr_t)p, n};
}

/* A link may begin at *at, before `end`. If it does, adds its replacement and moves *at past the
 * link. If that is undecided yet, holds the rest and moves *at to end. */
void link_begin(struct link_rewriter *r, const char **at, const char *end, struct link_out *o);

/* Continues with the held bytes. False: still undecided; all of *in is held too. True: decided.
 * *released: the held bytes that were passed on unchanged; the reader of the syntax has to read
 * them. */
bool link_resolve(struct link_rewriter *r, struct slice *in, struct link_out *o,
                  struct slice *released);

#endif
