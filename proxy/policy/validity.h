/*
 * validity: may a tenant's certificate be presented now?
 */
#ifndef POLICY_VALIDITY_H
#define POLICY_VALIDITY_H

#include "base/fail.h"
#include "config/config.h"

/* By the wall clock, which may have jumped since the last time. False: *why. */
bool identity_is_presentable(const struct tenant *t, int identity, struct failure *why);

/* Can one of its certificates be presented now? */
bool tenant_is_presentable(const struct tenant *t);

#endif
