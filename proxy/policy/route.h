/*
 * route: which tenant is a request for? Pure.
 *
 * All tenants are candidates. The listener, the target's host, the company in
 * successfactors-companyid, and the company of Basic credentials each filter
 * them, if present. Exactly one has to remain. Inside a CONNECT the target is
 * the CONNECT's (authority-form).
 */
#ifndef POLICY_ROUTE_H
#define POLICY_ROUTE_H

#include "config/config.h"

/* The index of the tenant; -1 with the reason in *why. listener_tenant: the tenant of a listener
 * that serves only one; otherwise NULL. */
int route_find(const struct config *c, const char *listener_tenant, const struct head *request,
               const struct target *target, struct failure *why) MUST_CHECK;

/* Appends, in words, what the request says about its tenant; appends nothing if it says nothing. */
void route_write_claims(const struct config *c, const char *listener_tenant,
                        const struct head *request, const struct target *target, struct buf *out);

/* Does the target, in absolute-form or authority-form, lead to a configured server? */
bool route_has_server(const struct config *c, const struct target *target);

/* Could a request inside a CONNECT to that target find its tenant? If not, *why has the reason. */
bool route_leads(const struct config *c, const char *listener_tenant, const struct target *target,
                 struct failure *why) MUST_CHECK;

#endif
