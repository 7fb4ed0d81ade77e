/*
 * given: describes a setting that does not come from the file, and its source,
 * for `run -t` and `explain`.
 */
#ifndef CLI_GIVEN_H
#define CLI_GIVEN_H

#include "config/config.h"

/* For example "acme.server = api4.successfactors.com (SFMTLS_TENANT_ACME_SERVER in place of
 * sfmtls.ini:3)". The user frees it. */
char *given_text(const struct config_given *g);

#endif
