/*
 * demo_fault: what `sfmtls demo --fault NAME` sets up, so that one can see what
 * each fault looks like in an answer, in the log and in `sfmtls check`.
 */
#ifndef CLI_DEMO_FAULT_H
#define CLI_DEMO_FAULT_H

#include <stdbool.h>
#include <stddef.h>

#include "tls/issue.h"

struct demo_fault {
    const char *name, *summary;

    /* what the server answers; status 0: as ever */
    int status;
    const char *content_type, *body;
    int date_days; /* its Date is that far ahead */

    /* the server's certificate and its manners */
    bool self_signed, of_another_ca; /* signed by itself; by a CA that is not in ca-file */
    const char *alt_names;           /* NULL: the right ones */
    int begins_days, days;           /* 0: valid for the demo's days */
    bool never_asks;                 /* for the client's certificate */
    bool plain;                      /* speaks no TLS */

    /* the client's certificate */
    bool client_of_another_ca, client_for_server;
    int client_begins_days, client_days;

    /* the configuration; NULL: the right one */
    const char *company_id, *server, *connect_to;
    const char *more; /* lines of [tenant] */
};

/* NULL: there is none of that name. */
const struct demo_fault *demo_fault_find(const char *name);
const struct demo_fault *demo_faults(size_t *count);

#endif
