/*
 * issue: certificates made here (the demo's throw-away identities), and requests for others.
 */
#ifndef TLS_ISSUE_H
#define TLS_ISSUE_H

#include <stdbool.h>

#include "tls/credential.h"

struct issue_spec {
    const char *common_name, *organization;
    const char *alt_names; /* subjectAltName as OpenSSL writes it: "DNS:localhost"; NULL: none */
    bool is_ca;
    bool for_server; /* serverAuth, else clientAuth; without meaning for a CA */
    int days;
};

/* A new P-256 key with a certificate that issuer signs; issuer NULL: itself. */
enum status issue_credential(const struct issue_spec *spec, const struct credential *issuer,
                             struct credential **out, struct diag *why) MUST_CHECK;

/* Appends a request (PKCS#10, PEM) for a certificate of c's key; organization may be NULL. */
enum status issue_request(const struct credential *c, const char *common_name,
                          const char *organization, struct buf *out, struct diag *why) MUST_CHECK;

#endif
