/*
 * crl: certificate revocation lists (RFC 5280, 5): checks their signatures, and
 * reports problems.
 */
#ifndef TLS_CRL_H
#define TLS_CRL_H

#include <stdint.h>

#include <openssl/x509.h>

#include "base/diag.h"
#include "tls/credential.h"

/* ST_BAD_INPUT: a list in the file at path has the name of a CA among certificates, but no CA of
 * that name has signed it. */
enum status crl_check_signatures(const char *path, const STACK_OF(X509_CRL) * lists,
                                 const STACK_OF(X509) * certificates, struct diag *why) MUST_CHECK;

/* The problem of a list, which is one of lists; NULL: there is none. The user frees the sentence.
 * now: seconds since 1970. */
char *crl_judge(const X509_CRL *list, const STACK_OF(X509_CRL) * lists, int64_t now,
                enum finding_level *level);

#endif
