/*
 * cookies: which tenant's server issued a cookie.
 *
 * A caller's jar for `localhost` knows no ports and no tenants: with two of
 * them under one name, the session of one would travel under the other's
 * certificate. So what each server sets in this run is remembered, as a keyed
 * hash, and where there are several tenants, nothing else is sent to it: what
 * is not known may be another one's.
 *
 * Bounded for each tenant by itself. Of too many cookies, those are forgotten
 * that were neither set nor sent for the longest time.
 *
 * Any thread may call.
 */
#ifndef EXCHANGE_COOKIES_H
#define EXCHANGE_COOKIES_H

#include "config/config.h"

enum { COOKIES_OF_TENANT = 4096 }; /* so many are remembered, about 64 KiB for each tenant */

struct cookies;

struct cookies *cookies_new(void);
void cookies_free(struct cookies *c);

/* set_cookie: the field's value (RFC 6265, 4.1.1). A tenant is the same as long as its name, server
 * and company are, whichever certificate it has. */
void cookies_remember(struct cookies *c, const struct tenant *t, struct slice set_cookie);

/* Appends a Cookie field's value (RFC 6265, 4.2.1) with the cookies that are known as t's; maybe
 * nothing. True if others were left out, for the first time of t. */
bool cookies_write(struct cookies *c, const struct tenant *t, struct slice value, struct buf *out);

/* Forgets the cookies of tenants that are not configured (any more). */
void cookies_keep_only(struct cookies *c, const struct config *config);

#endif
