/*
 * demo_origin: a small server like SAP SuccessFactors, for the demo. It lets
 * in only callers with a client certificate, wants the company ID, and shows
 * in its answers which certificate it saw. It knows the requests of the Postman
 * collection (conf/examples), and answers with a fault if it is to.
 */
#ifndef CLI_DEMO_ORIGIN_H
#define CLI_DEMO_ORIGIN_H

#include "caller/local.h"

#define DEMO_COMPANY "DEMO"

/* A local_answer; ctx: the struct demo_fault. */
void demo_origin_answer(void *ctx, const struct local_request *r, struct reply *out,
                        struct buf *body, struct buf *fields);

#endif
