/*
 * crl: certificate revocation lists (RFC 5280, section 5): whether they are
 * what they say, and what to report about them.
 */
#ifndef TLS_CRL_H
#define TLS_CRL_H

#include <stdint.h>

#include <openssl/x509.h>

#include "base/diag.h"
#include "tls/credential.h"

/* ST_BAD_INPUT: a list in the file at path bears the name of a CA among certificates, and none of
 * those of that name has signed it. */
enum status crl_check_signatures(const char *path, const STACK_OF(X509_CRL) * lists,
                                 const STACK_OF(X509) * certificates, struct diag *why) MUST_CHECK;

/* What to report about list, which is one of lists; NULL if there is nothing. The caller frees
 * the sentence. now: seconds since 1970. */
char *crl_judge(const X509_CRL *list, const STACK_OF(X509_CRL) * lists, int64_t now,
                enum finding_level *level);

#endif
