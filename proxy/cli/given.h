/*
 * given: a setting that the file does not have as it is in use, and where it
 * comes from, as `run -t` and `explain` show it.
 */
#ifndef CLI_GIVEN_H
#define CLI_GIVEN_H

#include "config/config.h"

/* "acme.server = api4.successfactors.com (SFMTLS_TENANT_ACME_SERVER in place of sfmtls.ini:3)". The
 * caller frees it. */
char *given_text(const struct config_given *g);

#endif
