/*
 * demo_origin: a small server like SAP SuccessFactors, for the demo. It lets
 * in only callers with a client certificate, wants the company ID, and shows
 * in its answers which certificate it saw.
 */
#ifndef CLI_DEMO_ORIGIN_H
#define CLI_DEMO_ORIGIN_H

#include "caller/local.h"

#define DEMO_COMPANY "DEMO"

/* A local_answer; ctx is not used. */
void demo_origin_answer(void *ctx, const struct local_request *r, struct reply *out,
                        struct buf *body, struct buf *fields);

#endif
