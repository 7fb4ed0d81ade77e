/*
 * cookies: which tenant's server issued a cookie.
 *
 * A caller's jar for `localhost` knows no ports and no tenants: with two of
 * them behind one name, the session of one would travel under the other's
 * certificate. So what each server sets is remembered, as a keyed hash, and
 * does not go to another one. Bounded: of many, some of the older are forgotten.
 *
 * Any thread may call.
 */
#ifndef CORE_COOKIES_H
#define CORE_COOKIES_H

#include "base/buf.h"
#include "base/slice.h"

struct cookies;

struct cookies *cookies_new(void);
void cookies_free(struct cookies *c);

/* set_cookie: the field's value (RFC 6265, 4.1.1). One that several set alike belongs to each. */
void cookies_remember(struct cookies *c, const char *tenant, struct slice set_cookie);

/* Appends a Cookie field's value (RFC 6265, 4.2.1) without those of other tenants; maybe nothing.
 */
void cookies_write(struct cookies *c, const char *tenant, struct slice value, struct buf *out);

#endif
