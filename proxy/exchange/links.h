/*
 * links: the links of one exchange (see sf/link.h): where callers find the
 * server, and the filters that rewrite bodies on their way.
 *
 * In answers the server's URLs become the base by which the caller came; in
 * requests that base becomes the server's again.
 */
#ifndef EXCHANGE_LINKS_H
#define EXCHANGE_LINKS_H

#include "config/config.h"
#include "http/body.h"
#include "sf/link.h"

/* scheme://authority by which the caller came, without a path: origin-form says it in Host; of a
 * request inside of a CONNECT, target is that one's. tls: the caller speaks TLS. Nothing is
 * appended if it named none, or one that cannot be in every syntax. */
void links_write_base(struct buf *out, const struct head *request, const struct target *target,
                      bool tls);

/* Can the content be rewritten, as far as its fields tell? */
bool links_are_in(const struct head *h);

/* Is the answer a part of one that would be rewritten, or of several, whose types its head does not
 * tell? */
bool links_are_parted(const struct head *h);

struct link_filter;

/* For the body after that head. base: what is in place of the tenant's own URLs (answers), or
 * is replaced by them (requests); copied. */
struct link_filter *link_filter_for_answer(const struct tenant *t, struct slice base,
                                           const struct head *h);
struct link_filter *link_filter_for_request(const struct tenant *t, struct slice base,
                                            const struct head *h);
void link_filter_free(struct link_filter *f); /* NULL is allowed */
struct body_filter link_filter_run(struct link_filter *f);

/* Those fields of an answer that hold links, or belong to the server's host; and the value that f,
 * one of them, has for the caller. */
#define LINKS_FIELDS                                                                               \
    (field_bit(FIELD_LOCATION) | field_bit(FIELD_LINK) | field_bit(FIELD_SET_COOKIE))
void links_write_field(const struct tenant *t, struct slice base, const struct field *f,
                       struct buf *out);

#endif
