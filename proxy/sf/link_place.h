/*
 * link_place: does a URL lead to a place whose links are changed, and which
 * part of the URL names the place? Pure.
 */
#ifndef SF_LINK_PLACE_H
#define SF_LINK_PLACE_H

#include "sf/link_syntax.h"

enum { LINK_LONGEST = 320 }; /* more bytes are never needed to decide */

/* The place is https://host with one of the two ports. A URL without a port has the scheme's
 * default port. */
struct link_place {
    struct slice origin; /* "https://host", as in a URL; an IPv6 address in brackets */
    int port, other_port;
};

struct link_rules {
    const struct link_place *places;
    size_t nplaces;
    const char *base; /* the replacement, for example "http://localhost:8080" */
    /* The same with \/ for each /, for JSON that is written like this. */
    const char *escaped;
};

/* How many bytes of url `base` replaces, if url leads to one of the places; otherwise 0. For a URL
 * outside JSON and XML, for example in a field. */
size_t link_prefix(const struct link_rules *rules, struct slice url);

/* Can a replacement be longer than the link? */
bool link_may_grow(const struct link_rules *rules);

enum link_match {
    LINK_MATCH_NO,
    LINK_MATCH_MORE /* more bytes are needed to decide */,
    LINK_MATCH_YES
};

/* What ends a link, apart from the rest of the URL. */
struct link_end {
    enum link_syntax syntax;
    const char *mark;
};

/* Does a link begin at text.p? *length: bytes to replace; *escaped: its slashes are escaped. */
enum link_match link_match(const struct link_rules *rules, const struct link_end *end,
                           struct slice text, size_t *length, bool *escaped);

#endif
