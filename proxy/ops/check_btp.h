/*
 * check_btp: the steps of `sfmtls check` for a certificate that is fetched from
 * BTP: is there a token for the service key, and a usable certificate?
 */
#ifndef OPS_CHECK_BTP_H
#define OPS_CHECK_BTP_H

#include "config/config.h"
#include "ops/check_steps.h"

/* Asks BTP, unless a step is left out, and judges both steps. Writes nothing. If the tenant has no
 * certificate to present, as before the first start, the fetched one is presented from now on. */
void check_btp(struct check_report steps[], const struct config *c, struct tenant *t);

#endif
