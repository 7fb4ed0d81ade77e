/*
 * check_files: the steps of `sfmtls check` that need no call: what the
 * configuration says of a tenant, its certificate, and what is sent beside it.
 */
#ifndef OPS_CHECK_FILES_H
#define OPS_CHECK_FILES_H

#include "config/config.h"
#include "ops/check_steps.h"

/* file_flaw: why the files of the configuration may not be used; NULL: they may. */
void check_configuration(struct check_report steps[], const struct tenant *t,
                         const struct diag *file_flaw);

/* It fails if the certificate ends within so many days. */
void check_certificate(struct check_report steps[], const struct tenant *t, int identity,
                       int fail_days);

/* Of a certificate that can be used; after the call, which can show more. authorities: the names of
 * the CAs that the server said it accepts, if it said so. */
void check_chain(struct check_report steps[], const struct tenant *t, int identity,
                 char *const authorities[], size_t nauthorities);

#endif
