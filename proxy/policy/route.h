/*
 * route: whose request is it? Pure.
 *
 * All tenants are candidates; the listener, the target's host, the company in
 * successfactors-companyid and the company of Basic credentials each filter
 * them, where present. One must be left. Inside a CONNECT, the target is the
 * CONNECT's (authority-form).
 */
#ifndef POLICY_ROUTE_H
#define POLICY_ROUTE_H

#include "config/config.h"

/* The index of the tenant, or -1 and *why. listener_tenant: whose own listener it is, or NULL. */
int route_find(const struct config *c, const char *listener_tenant, const struct head *request,
               const struct target *target, struct failure *why) MUST_CHECK;

/* Appends what the request names, by which its tenant is found, in words; nothing: it names
 * nothing. */
void route_write_claims(const struct config *c, const char *listener_tenant,
                        const struct head *request, const struct target *target, struct buf *out);

/* Does the target, in absolute-form or authority-form, lead to a configured server? */
bool route_has_server(const struct config *c, const struct target *target);

/* Could a request inside a CONNECT to that target find a tenant? If not, *why says why. */
bool route_leads(const struct config *c, const char *listener_tenant, const struct target *target,
                 struct failure *why) MUST_CHECK;

#endif
