/*
 * validity: may a tenant's certificate be presented now?
 */
#ifndef POLICY_VALIDITY_H
#define POLICY_VALIDITY_H

#include "base/fail.h"
#include "config/config.h"

/* Is the certificate valid now, by the wall clock (which may jump)? If not, *why has the reason. */
bool identity_is_presentable(const struct tenant *t, int identity, struct failure *why);

/* Can any of the tenant's certificates be presented now? */
bool tenant_is_presentable(const struct tenant *t);

#endif
