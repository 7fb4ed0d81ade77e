/*
 * link: absolute links of one place, made to lead to another, in JSON and XML
 * that streams by.
 *
 * SF's answers hold URLs of the API server (OData's __next and uri, Atom's
 * href, SCIM's location); a caller that follows them would leave the proxy, and
 * has no certificate there. Only what is a link is changed: a URL that
 * begins a JSON string, an XML attribute's value or an element's text, under a
 * name that is known for links (link_names.c), and whose authority is exactly
 * the place's. A name may also have an array of strings, or an attribute a
 * list. Text that mentions a URL stays as it is.
 *
 * Pure. The output is pieces, most of them views into the input. How the input
 * is cut makes no difference. Both syntaxes are taken to be well-formed: in what
 * is not, nothing or the wrong thing may be changed, but nothing is lost.
 */
#ifndef SF_LINK_H
#define SF_LINK_H

#include <stdbool.h>
#include <sys/uio.h>

#include "base/slice.h"
#include "sf/link_place.h"
#include "sf/link_syntax.h"

enum {
    LINK_CONTEXT = 256,  /* how far before a JSON string its name is looked for */
    LINK_NAME = 48,      /* the longest name of XML that is told apart */
    LINK_PIECES_MIN = 4, /* room that a call must be given */
};

/* JSON is looked at only in an array under the name of links. */
enum link_json_state {
    JSON_ELSEWHERE,
    JSON_ARRAY,  /* between its elements */
    JSON_STRING, /* within one that is a string */
    JSON_ESCAPE, /* after the backslash in it */
};

/* How far XML has been read. */
enum link_xml_state {
    XML_TEXT,        /* between tags */
    XML_TEXT_START,  /* the text of a link's element begins */
    XML_OPEN,        /* after < */
    XML_NAME,        /* of an element */
    XML_TAG,         /* between attributes */
    XML_ATTRIBUTE,   /* its name */
    XML_EQUALS,      /* between name and value */
    XML_VALUE,       /* to be passed over */
    XML_VALUE_START, /* of a link */
    XML_ITEM_START,  /* before an item of a list */
    XML_ITEM,        /* the rest of it */
    XML_BANG,        /* <! */
    XML_CDATA,       /* <![, where a link's text begins */
    XML_CDATA_START, /* and after CDATA[ */
    XML_SKIP,        /* up to `until` */
};

/* What an attribute has as its value. */
enum link_value { VALUE_OTHER, VALUE_URL, VALUE_LIST, VALUE_PAIRS };

struct link_rewriter {
    enum link_syntax syntax;
    const struct link_rules *rules;
    bool flushes;  /* the pieces of the last call hold what was held: send them before the next */
    bool matching; /* a link may begin here; held is its beginning */
    bool changed;  /* a link was */
    size_t nheld;
    char held[LINK_LONGEST];
    char flushed[LINK_LONGEST]; /* what was held, for the caller to send */
    /* JSON */
    enum link_json_state json;
    size_t nbefore; /* the input before this point */
    char before[LINK_CONTEXT];
    /* XML */
    enum link_xml_state state;
    size_t nname;
    char name[LINK_NAME];
    bool link_element;     /* the tag that is read opens a link's element */
    bool starts_text;      /* what is read is before a link's text: a comment, CDATA */
    enum link_value value; /* of the attribute that is read */
    bool passes_item;      /* the next item of the list is the first of a pair */
    char quote;
    const char *until; /* XML_SKIP: what ends it */
    size_t nuntil;     /* how much of it was seen */
};

/* rules must outlive the rewriter. Nothing needs to be freed. */
void link_start(struct link_rewriter *r, enum link_syntax syntax, const struct link_rules *rules);

/* Moves *in over what was used and returns the number of pieces, at most room (which is at least
 * LINK_PIECES_MIN); if *in is not used up, call again. Pieces are valid until the next call, as
 * long as the input is. */
size_t link_run(struct link_rewriter *r, struct slice *in, struct iovec *pieces, size_t room);

/* The input has ended: what was held back, as a last piece; returns 0 or 1. */
size_t link_finish(struct link_rewriter *r, struct iovec *piece);

#endif
