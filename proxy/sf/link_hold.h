/*
 * link_hold: a link that may begin, in either syntax: it is replaced, passed, or
 * held until enough has come to tell. Private to link*.c.
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

/* A link may begin at *at, which lies before end: if so, its replacement is added and *at moved
 * after it; if that cannot be told yet, *at becomes end and the rest is held. */
void link_begin(struct link_rewriter *r, const char **at, const char *end, struct link_out *o);

/* Goes on with what is held. False: all of *in went into it. True: it is decided; *released is what
 * was held and went out as it is, through which the syntax is to be followed. */
bool link_resolve(struct link_rewriter *r, struct slice *in, struct link_out *o,
                  struct slice *released);

#endif
