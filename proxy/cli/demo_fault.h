/*
 * demo_fault: the faults of `sfmtls demo --fault NAME`, which show what each
 * fault looks like in an answer, in the log and in `sfmtls check`.
 */
#ifndef CLI_DEMO_FAULT_H
#define CLI_DEMO_FAULT_H

#include <stdbool.h>
#include <stddef.h>

#include "tls/issue.h"

struct demo_fault {
    const char *name, *summary;

    /* the server's answer; status 0: the usual one */
    int status;
    const char *content_type, *body;
    int date_days; /* how far ahead its Date is */

    /* the server's certificate and behaviour */
    /* Signed by itself; signed by a CA that is not in ca-file. */
    bool self_signed, of_another_ca;
    const char *alt_names; /* NULL: the right names */
    int begins_days, days; /* 0: valid during the demo */
    bool never_asks;       /* for the client certificate */
    bool plain;            /* speaks no TLS */

    /* the client certificate */
    bool client_of_another_ca, client_for_server;
    int client_begins_days, client_days;

    /* the configuration; NULL: the right value */
    const char *company_id, *server, *connect_to;
    const char *more; /* more lines for [tenant] */
};

/* NULL: there is no fault of that name. */
const struct demo_fault *demo_fault_find(const char *name);
const struct demo_fault *demo_fault_any(void); /* by chance */
const struct demo_fault *demo_faults(size_t *count);

#endif
