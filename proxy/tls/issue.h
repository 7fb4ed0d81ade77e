/*
 * issue: certificates made here (the demo's throw-away identities, the local CA and its leaves),
 * and requests for others.
 */
#ifndef TLS_ISSUE_H
#define TLS_ISSUE_H

#include <stdbool.h>

#include "tls/credential.h"

struct issue_spec {
    const char *common_name, *organization;
    const char *alt_names; /* subjectAltName as OpenSSL writes it: "DNS:localhost"; NULL: none */
    bool is_ca;
    bool issues_leaves_only; /* a CA: no other CA below it */
    /* A CA: the names below it (RFC 5280, 4.2.1.10), critical, as OpenSSL writes them:
     * "permitted;DNS:host,excluded;..."; NULL: any. */
    const char *name_constraints;
    bool for_server; /* serverAuth, else clientAuth; a CA: for servers only, else for anything */
    int begins_days; /* it begins that many days from now */
    int days;        /* and ends that many days from now */
    int64_t latest;  /* it ends then, if not before; seconds since 1970; 0: no matter */
};

/* A certificate for c, which has a key and nothing else, signed by issuer; NULL: by c itself. */
enum status issue_certificate(const struct issue_spec *spec, const struct credential *issuer,
                              struct credential *c, struct diag *why) MUST_CHECK;

/* The same with a new P-256 key. */
enum status issue_credential(const struct issue_spec *spec, const struct credential *issuer,
                             struct credential **out, struct diag *why) MUST_CHECK;

/* Appends a request (PKCS#10, PEM) for a client's certificate (clientAuth, digitalSignature) of c's
 * key; organization may be NULL. */
enum status issue_request(const struct credential *c, const char *common_name,
                          const char *organization, struct buf *out, struct diag *why) MUST_CHECK;

#endif
