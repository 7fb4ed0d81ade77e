/*
 * link: finds absolute links to one place in streamed JSON and XML, and makes
 * them lead to another place.
 *
 * The answers of SuccessFactors contain URLs of the API server (OData's __next
 * and uri, Atom's href, SCIM's location). A caller that follows them would
 * bypass the proxy, and it has no certificate for the server. Only links are
 * changed. A link is a URL at the beginning of a JSON string, of an XML
 * attribute's value or of an element's text. The name of the string, attribute
 * or element has to be known for links (link_names.c), and the URL's authority
 * has to be exactly that of the place. A name may also have an array of
 * strings, and an attribute a list. A text that mentions a URL is not changed.
 *
 * Pure. The output consists of pieces, most of them views into the input. It
 * does not matter how the input is split. The input should be well-formed;
 * otherwise a link may be missed or something else changed, but nothing is
 * lost.
 */
#ifndef SF_LINK_H
#define SF_LINK_H

#include <stdbool.h>
#include <sys/uio.h>

#include "base/slice.h"
#include "sf/link_place.h"
#include "sf/link_syntax.h"

enum {
    /* Bytes before a JSON string in which its name is searched for. */
    LINK_CONTEXT = 256,
    LINK_NAME = 48,      /* the longest name in XML that can be known */
    LINK_PIECES_MIN = 4, /* least number of pieces that a call needs */
};

/* JSON is read only in an array whose name is that of links. */
enum link_json_state {
    JSON_ELSEWHERE,
    JSON_ARRAY,  /* between its elements */
    JSON_STRING, /* inside a string of the array */
    JSON_ESCAPE, /* after a backslash in the string */
};

/* The position in XML. */
enum link_xml_state {
    XML_TEXT,        /* between tags */
    XML_TEXT_START,  /* at the beginning of the text of a link's element */
    XML_OPEN,        /* after < */
    XML_NAME,        /* in an element's name */
    XML_TAG,         /* between attributes */
    XML_ATTRIBUTE,   /* in an attribute's name */
    XML_EQUALS,      /* between the name and the value */
    XML_VALUE,       /* in a value without links */
    XML_VALUE_START, /* at the beginning of a link's value */
    XML_ITEM_START,  /* before an item of a list */
    XML_ITEM,        /* in an item of a list */
    XML_BANG,        /* after <! */
    XML_CDATA,       /* after <![ at the beginning of a link's text */
    XML_CDATA_START, /* after <![CDATA[ at the beginning of a link's text */
    XML_SKIP,        /* skips up to `until` */
};

/* The kind of an attribute's value. */
enum link_value { VALUE_OTHER, VALUE_URL, VALUE_LIST, VALUE_PAIRS };

struct link_rewriter {
    enum link_syntax syntax;
    const struct link_rules *rules;
    /* Pieces of the last call lie in `flushed`: send them before the next call. */
    bool flushes;
    bool matching; /* a link may begin here; its beginning is in held */
    bool changed;  /* a link was changed */
    size_t nheld;
    char held[LINK_LONGEST];
    char flushed[LINK_LONGEST]; /* bytes that were held and are to be sent */
    /* JSON */
    enum link_json_state json;
    size_t nbefore; /* the input before this point */
    char before[LINK_CONTEXT];
    /* XML */
    enum link_xml_state state;
    size_t nname;
    char name[LINK_NAME];
    bool link_element; /* the tag that is being read opens a link's element */
    /* This comment or CDATA mark comes before a link's text. */
    bool starts_text;
    enum link_value value; /* of the attribute that is being read */
    /* The next item of the list is the first of a pair, so it is not a link. */
    bool skips_item;
    char quote;
    const char *until; /* for XML_SKIP: the mark that ends it */
    size_t nuntil;     /* how many of its bytes were seen */
};

/* rules must outlive the rewriter, which does not have to be freed. */
void link_start(struct link_rewriter *r, enum link_syntax syntax, const struct link_rules *rules);

/* Moves *in past the bytes used, and returns the number of pieces, at most room (at least
 * LINK_PIECES_MIN). If *in is not used up, call again. The pieces are valid until the next call,
 * and only as long as the input is. */
size_t link_run(struct link_rewriter *r, struct slice *in, struct iovec *pieces, size_t room);

/* The input has ended: makes the bytes that were held the last piece. Returns the number of pieces,
 * 0 or 1. */
size_t link_finish(struct link_rewriter *r, struct iovec *piece);

#endif
