/*
 * check_files: the steps of `sfmtls check` that need no call: the tenant's
 * configuration, its certificate, and the CA certificates that are sent with
 * it.
 */
#ifndef OPS_CHECK_FILES_H
#define OPS_CHECK_FILES_H

#include "config/config.h"
#include "ops/call.h"
#include "ops/check_steps.h"

/* file_flaw: why the configuration's files may not be used; NULL: they may. */
void check_configuration(struct check_report steps[], const struct tenant *t,
                         const struct diag *file_flaw);

/* The step fails if the certificate ends within fail_days. */
void check_certificate(struct check_report steps[], const struct tenant *t, int identity,
                       int fail_days);

/* For a certificate that can be used. Call it after the call to the server, which may have said
 * which CAs it accepts; all zero: there was no call. */
void check_chain(struct check_report steps[], const struct tenant *t, int identity,
                 const struct call_result *r);

#endif
