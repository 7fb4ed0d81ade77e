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

/* A link may begin at *at, which lies before end: if so, its replacement is added and *at moved
 * behind it; if that cannot be told yet, *at becomes end and the rest is held. */
void link_begin(struct link_rewriter *r, const char **at, const char *end, struct link_out *o);

/* Goes on with what is held. False: all of *in went into it. */
bool link_resolve(struct link_rewriter *r, struct slice *in, struct link_out *o);

/* Where a name is known as one of links; a row of the table has one of them. */
enum link_kind {
    LINK_MEMBER, /* JSON: the name of a string or of an array of strings */
    LINK_MEMBER_ANY_CASE,
    LINK_CONTROL,            /* JSON: behind @ or odata. or both: control information of OData */
    LINK_ATTRIBUTE,          /* XML: with any prefix or none; if it has one itself, with that */
    LINK_ATTRIBUTE_PREFIXED, /* XML: with any prefix */
    LINK_ATTRIBUTE_PAIRS,    /* the same; a list, in which each second item is a link */
    LINK_ATTRIBUTE_LIST,     /* XML: a list of links */
    LINK_ELEMENT,            /* XML: with any prefix or none; its text */
    LINK_FIELD,              /* of a message head: a URL */
    LINK_FIELD_TARGETS,      /* URLs in <> */
    LINK_FIELD_HOST,         /* an authority */
    LINK_NOT_KNOWN,
};

/* Of JSON (RFC 8259, 2) and of XML (2.3), and between lines. */
static inline bool link_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Without blanks and line ends at both ends. */
struct slice link_trim(struct slice s);

/* May what stands in place of a link be longer than that? */
bool link_may_grow(const struct link_rules *rules);

/* To be called before the functions below. */
void link_names_prepare(void);

bool link_is_member(struct slice name);            /* of JSON */
enum link_value link_attribute(struct slice name); /* of XML, with prefix */
bool link_is_element(struct slice name);           /* the same */
enum link_kind link_field(struct slice name);      /* LINK_FIELD or behind it */

/* Text that went out of a string or value that had begun. */
void link_pass_json(struct link_rewriter *r, struct slice text);
void link_pass_xml(struct link_rewriter *r, struct slice text);

void link_run_json(struct link_rewriter *r, struct slice *in, struct link_out *o);
void link_run_xml(struct link_rewriter *r, struct slice *in, struct link_out *o);

#endif
