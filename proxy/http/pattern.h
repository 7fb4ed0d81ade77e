/*
 * pattern: which paths something is about: what an `allow` rule covers, or where a `rate` holds.
 *
 * A pattern is compared with the whole path (without the query), case-sensitively and as it would
 * be sent. `*` at the end of a pattern is any rest; elsewhere, once a segment, it is anything but
 * '/'. A pattern `*` is every path.
 *
 * Percent-encoding: unreserved characters are the same encoded or not (RFC 3986, 6.2.2.2), all
 * others only as they are written.
 *
 * Pure; comparing allocates nothing.
 */
#ifndef HTTP_PATTERN_H
#define HTTP_PATTERN_H

#include "base/buf.h"

struct pattern {
    struct buf text;   /* as paths are compared: see rules_next_unit() */
    bool any_rest;     /* it ended in '*', which is cut off */
    bool covers_batch; /* a `*` also covers a segment that a server could read as $batch */
};

/* In words, what is wrong with the text of a pattern, as in "`TEXT` has two `*`"; NULL: nothing. */
const char *pattern_find_flaw(struct slice text);

/* The text has no flaw. *p is all zero, or has covers_batch set. */
void pattern_set(struct pattern *p, struct slice text);
void pattern_free(struct pattern *p);

/* False: a path that begins so does not fit, whatever follows. The first look, which costs little.
 */
bool pattern_may_fit(const struct pattern *p, struct slice beginning);

bool pattern_fits(const struct pattern *p, struct slice path);
void pattern_write(const struct pattern *p, struct buf *out);

/* Of a list that commas separate (those inside parentheses belong to a pattern): cuts the next item
 * off, without its blanks. text.p is NULL after the last. */
struct slice pattern_next_item(struct slice *text);

#endif
