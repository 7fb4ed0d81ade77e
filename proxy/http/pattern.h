/*
 * pattern: a set of paths: those that an `allow` rule covers, or that a `rate`
 * applies to.
 *
 * A pattern is compared with the whole path (without the query), with case, and
 * in the form in which the path would be sent. `*` at the end of a pattern
 * stands for any rest. Elsewhere, at most once in a segment, `*` stands for
 * anything except '/'. The pattern `*` covers every path.
 *
 * Percent-encoding: an unreserved character is the same whether encoded or not
 * (RFC 3986, 6.2.2.2). All others count only as they are written.
 *
 * Pure; comparing allocates no memory.
 */
#ifndef HTTP_PATTERN_H
#define HTTP_PATTERN_H

#include "base/buf.h"

struct pattern {
    struct buf text;   /* in units: see rules_next_unit() */
    bool any_rest;     /* it ended with '*', which is cut off */
    bool covers_batch; /* a `*` may cover a segment that a server could read as $batch */
};

/* What is wrong with the text of a pattern, for a sentence like "`TEXT` has two `*`"; NULL:
 * nothing. */
const char *pattern_find_flaw(struct slice text);

/* The text must have no flaw. Before, *p is all zero, except that covers_batch may be set. */
void pattern_set(struct pattern *p, struct slice text);
void pattern_free(struct pattern *p);

/* A cheap first look. False: a path that begins like this does not fit, whatever follows. */
bool pattern_may_fit(const struct pattern *p, struct slice beginning);

bool pattern_fits(const struct pattern *p, struct slice path);
void pattern_write(const struct pattern *p, struct buf *out);

/* Cuts the next item from a comma-separated list, without blanks around it. Commas inside
 * parentheses belong to an item. text.p is NULL after the last item. */
struct slice pattern_next_item(struct slice *text);

#endif
