/*
 * link_place: does a URL lead to a place whose links are changed, and how much
 * of it is the part that names the place? Pure.
 */
#ifndef SF_LINK_PLACE_H
#define SF_LINK_PLACE_H

#include "sf/link_syntax.h"

enum { LINK_LONGEST = 320 }; /* more is never needed to decide */

/* https://host, https://host:port and https://host:other_port; without a port it is the scheme's
 * own that has to be one of the two. */
struct link_place {
    struct slice origin; /* "https://host", as in a URL: an IPv6 address in brackets */
    int port, other_port;
};

struct link_rules {
    const struct link_place *places;
    size_t nplaces;
    const char *base;    /* what is there instead: "http://localhost:8080" */
    const char *escaped; /* the same with \/ for each /, for JSON that writes it so */
};

/* If url leads to one of the places: how much of it `base` replaces; else 0. Of a URL outside of
 * any syntax, as in a header field. */
size_t link_prefix(const struct link_rules *rules, struct slice url);

/* May what is in place of a link be longer than that? */
bool link_may_grow(const struct link_rules *rules);

enum link_match { LINK_MATCH_NO, LINK_MATCH_MORE /* is needed to tell */, LINK_MATCH_YES };

/* What ends a link, beside the rest of its URL. */
struct link_end {
    enum link_syntax syntax;
    const char *mark;
};

/* Does a link begin at text.p? *length: what is to be replaced; *escaped: its slashes are. */
enum link_match link_match(const struct link_rules *rules, const struct link_end *end,
                           struct slice text, size_t *length, bool *escaped);

#endif
