/*
 * demo_origin: a small server that behaves like SAP SuccessFactors, for the
 * demo. It admits only callers with a client certificate, requires the company
 * ID, and shows in its answers which certificate it saw. It knows the requests
 * of the Postman collection (conf/examples). If a fault is chosen, it answers
 * with that fault.
 */
#ifndef CLI_DEMO_ORIGIN_H
#define CLI_DEMO_ORIGIN_H

#include "caller/local.h"

#define DEMO_COMPANY "DEMO"

/* The local_answer. ctx: the struct demo_fault. */
void demo_origin_answer(void *ctx, const struct local_request *r, struct reply *out,
                        struct buf *body, struct buf *fields);

#endif
