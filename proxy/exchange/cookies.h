/*
 * cookies: remembers which tenant's server issued a cookie.
 *
 * A caller's cookie jar keeps cookies by host name, without ports and tenants.
 * If two tenants are reached as `localhost`, the caller would send the session
 * of one tenant to the server of the other, under the other's certificate. So
 * this process remembers a keyed hash of each cookie that a server sets in this
 * run. If there are several tenants, a server gets only the cookies that it has
 * set: an unknown cookie may belong to another tenant.
 *
 * The number of cookies is limited for each tenant. If there are too many,
 * those that were neither set nor sent for the longest time are forgotten.
 *
 * Any thread may call.
 */
#ifndef EXCHANGE_COOKIES_H
#define EXCHANGE_COOKIES_H

#include "config/config.h"

enum { COOKIES_OF_TENANT = 4096 }; /* remembered cookies of a tenant; about 64 KiB */

struct cookies;

struct cookies *cookies_new(void);
void cookies_free(struct cookies *c);

/* Remembers the cookie that t's server sets. set_cookie: the field's value (RFC 6265, 4.1.1). A
 * tenant remains the same as long as its name, URL and company ID are the same; its certificate may
 * change. */
void cookies_remember(struct cookies *c, const struct tenant *t, struct slice set_cookie);

/* Appends the value of a Cookie field (RFC 6265, 4.2.1): those cookies of `value` that t's server
 * has set, maybe none. Returns true the first time that cookies of t's requests were left out. */
bool cookies_write(struct cookies *c, const struct tenant *t, struct slice value, struct buf *out);

/* Forgets the cookies of tenants that are not in config. */
void cookies_keep_only(struct cookies *c, const struct config *config);

#endif
