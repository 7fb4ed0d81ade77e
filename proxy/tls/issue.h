/*
 * issue: makes certificates (for the demo, and for the local CA and its
 * leaves), and certificate requests.
 */
#ifndef TLS_ISSUE_H
#define TLS_ISSUE_H

#include <stdbool.h>

#include "tls/credential.h"

struct issue_spec {
    const char *common_name, *organization;
    /* subjectAltName in OpenSSL's notation, for example "DNS:localhost"; NULL: none. */
    const char *alt_names;
    bool is_ca;
    bool issues_leaves_only; /* for a CA: there may be no other CA below it */
    /* For a CA: the names that it may be used for (RFC 5280, 4.2.1.10), as a critical extension, in
     * OpenSSL's notation: "permitted;DNS:host,excluded;..."; NULL: any. */
    const char *name_constraints;
    /* serverAuth; otherwise clientAuth. For a CA: only for servers; otherwise for anything. */
    bool for_server;
    int begins_days; /* first day, counted from now */
    int days;        /* last day, counted from now */
    /* The latest end, in seconds since 1970; 0: no limit. */
    int64_t latest;
};

/* Makes a certificate for c, which so far has only a key. issuer NULL: self-signed. */
enum status issue_certificate(const struct issue_spec *spec, const struct credential *issuer,
                              struct credential *c, struct diag *why) MUST_CHECK;

/* The same with a new P-256 key. */
enum status issue_credential(const struct issue_spec *spec, const struct credential *issuer,
                             struct credential **out, struct diag *why) MUST_CHECK;

/* Appends a request (PKCS#10, PEM) for a client certificate (clientAuth, digitalSignature) with c's
 * key. organization may be NULL. */
enum status issue_request(const struct credential *c, const char *common_name,
                          const char *organization, struct buf *out, struct diag *why) MUST_CHECK;

#endif
