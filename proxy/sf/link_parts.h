/*
 * The inside of link: private to link*.c.
 */
#ifndef SF_LINK_PARTS_H
#define SF_LINK_PARTS_H

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

enum link_match { MATCH_NO, MATCH_MORE, MATCH_YES };

/* Does a link begin at text.p? *length: what is to be replaced; *escaped: its slashes are. */
enum link_match link_match(const struct link_rules *rules, enum link_syntax syntax,
                           struct slice text, size_t *length, bool *escaped);

/* A link may begin at *at, which lies before end: if so, its replacement is added and *at moved
 * behind it; if that cannot be told yet, *at becomes end and the rest is held. */
void link_begin(struct link_rewriter *r, const char **at, const char *end, struct link_out *o);

/* Goes on with what is held. False: all of *in went into it. */
bool link_resolve(struct link_rewriter *r, struct slice *in, struct link_out *o);

bool link_is_member(struct slice name);    /* of JSON */
bool link_is_attribute(struct slice name); /* of XML, with prefix */
bool link_is_element(struct slice name);

void link_run_json(struct link_rewriter *r, struct slice *in, struct link_out *o);
void link_run_xml(struct link_rewriter *r, struct slice *in, struct link_out *o);

#endif
