/*
 * set_cookie: makes a Set-Cookie of a server that speaks https fit for a caller
 * that may use another host name, and no TLS (RFC 6265bis, 5.6 and 5.7). Pure.
 */
#ifndef HTTP_SET_COOKIE_H
#define HTTP_SET_COOKIE_H

#include <stdbool.h>

#include "base/buf.h"

/*
 * Appends the field's value without the attributes for which the caller's jar
 * would refuse the cookie. These are a Domain that does not cover host, and
 * Secure if the caller does not use TLS. Together with Secure, SameSite=None
 * and Partitioned are left out, because jars accept them only in secure
 * cookies. host: a name or an address as in a URL, an IPv6 address in brackets.
 * A cookie whose name promises that it is secure (__Host-, __Secure-, __Http-)
 * stays unchanged.
 */
void set_cookie_write(struct slice value, struct slice host, bool tls, struct buf *out);

/* The value of the last attribute with that name; false: there is none. */
bool set_cookie_find(struct slice value, struct slice name, struct slice *out);

#endif
