/*
 * links: the links of one exchange (see sf/link.h): where callers find the
 * server, and the filters that rewrite bodies on their way.
 *
 * In answers the server's URLs are replaced by the base, which is the scheme
 * and authority that the caller used. In requests the base is replaced by the
 * server's URL.
 */
#ifndef EXCHANGE_LINKS_H
#define EXCHANGE_LINKS_H

#include "config/config.h"
#include "http/body.h"
#include "sf/link.h"

/* Appends the base: scheme://authority as the caller used it, without a path. A request in
 * origin-form names the authority in Host; for a request inside a CONNECT, target is the CONNECT's.
 * tls: the caller speaks TLS. Appends nothing if the request names no authority, or one that would
 * need escapes in JSON or XML. */
void links_write_base(struct buf *out, const struct head *request, const struct target *target,
                      bool tls);

/* Can the content be rewritten, as far as its fields show? */
bool links_are_in(const struct head *h);

/* Is the answer a part of a content that would be rewritten? Also true for several parts, because
 * the head does not show their types. */
bool links_are_parted(const struct head *h);

struct link_filter;

/* Returns a filter for the body after that head. base: in answers it replaces the tenant's own
 * URLs, in requests the tenant's URL replaces it. The filter keeps a copy of base, but t must
 * outlive it. */
struct link_filter *link_filter_for_answer(const struct tenant *t, struct slice base,
                                           const struct head *h);
struct link_filter *link_filter_for_request(const struct tenant *t, struct slice base,
                                            const struct head *h);
void link_filter_free(struct link_filter *f); /* NULL is allowed */
struct body_filter link_filter_run(struct link_filter *f);

/* The fields of an answer that hold links or belong to the server's host. links_write_field()
 * appends the value that such a field f has for the caller. */
#define LINKS_FIELDS                                                                               \
    (field_bit(FIELD_LOCATION) | field_bit(FIELD_LINK) | field_bit(FIELD_SET_COOKIE))
void links_write_field(const struct tenant *t, struct slice base, const struct field *f,
                       struct buf *out);

#endif
