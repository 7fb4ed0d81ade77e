/*
 * trust: the certificates that a server's chain has to end in, and the lists of
 * revoked certificates.
 *
 * Immutable and reference-counted. All tenants and threads that name the same
 * file share it, because the system's CAs cost a megabyte and 25 ms.
 */
#ifndef TLS_TRUST_H
#define TLS_TRUST_H

#include <stdbool.h>

#include <openssl/ssl.h>

#include "base/buf.h"
#include "base/diag.h"
#include "tls/credential.h"

struct trust;

/* Loads the trusted certificates. path NULL: the system's. Otherwise each certificate in the file
 * is trusted, root or not. crl_path: more revocation lists (RFC 5280, 5) than those in path; NULL:
 * none. If there are lists, the server's own certificate is checked against them. On failure
 * *lists_at_fault says whether *why is about the lists. */
enum status trust_load(const char *path, const char *crl_path, struct trust **out,
                       bool *lists_at_fault, struct diag *why) MUST_CHECK;

/* The problems of the lists. */
const struct finding *trust_findings(const struct trust *t, size_t *count);
struct trust *trust_ref(struct trust *t);
void trust_unref(struct trust *t); /* NULL is allowed */

/* True if no server can be verified with it. */
bool trust_is_empty(const struct trust *t);

/* Has a trusted root (not an intermediate) issued x? */
bool trust_has_root_of(const struct trust *t, const X509 *x);

/* Appends bytes that differ if different certificates and lists are trusted. */
void trust_digest(const struct trust *t, struct buf *out);

const char *trust_path(const struct trust *t); /* NULL: the system's certificates */

/* Was it loaded from these paths? */
bool trust_is_from(const struct trust *t, const char *path, const char *crl_path);

void trust_apply(const struct trust *t, SSL_CTX *context);

#endif
