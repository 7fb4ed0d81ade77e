/*
 * set_cookie: Set-Cookie of a server that speaks https, for a caller who may have come
 * without TLS and by another host name (RFC 6265bis, 5.6 and 5.7). Pure.
 */
#ifndef HTTP_SET_COOKIE_H
#define HTTP_SET_COOKIE_H

#include <stdbool.h>

#include "base/buf.h"

/*
 * Appends the field's value without the attributes for which the caller's jar would refuse the
 * cookie: a Domain that does not cover host (a name or an address, as in a URL; an IPv6 address in
 * brackets), and, unless the caller came by TLS, Secure. SameSite=None and Partitioned, which jars
 * accept of secure cookies only, go together with Secure. A cookie whose name promises that it is
 * secure (__Host-, __Secure-, __Http-) is left as it is.
 */
void set_cookie_write(struct slice value, struct slice host, bool tls, struct buf *out);

/* The value of the last attribute with that name; false: there is none. */
bool set_cookie_find(struct slice value, struct slice name, struct slice *out);

#endif
