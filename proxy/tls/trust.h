/*
 * trust: the certificates that a server's chain must end in, and the lists of
 * those that were revoked.
 *
 * Immutable, reference-counted, shared by all tenants and threads that name
 * the same file: the system's roots cost a megabyte and 25 ms.
 */
#ifndef TLS_TRUST_H
#define TLS_TRUST_H

#include <stdbool.h>

#include <openssl/ssl.h>

#include "base/buf.h"
#include "base/diag.h"
#include "tls/credential.h"

struct trust;

/* path NULL: the system's roots. Otherwise each certificate in the file is trusted, root or not.
 * crl_path: revocation lists (RFC 5280, 5), as well as those in path; NULL: no others. Where there
 * are lists, a peer's own certificate is checked against them. On failure *lists_at_fault tells
 * which of the files the sentence is about. */
enum status trust_load(const char *path, const char *crl_path, struct trust **out,
                       bool *lists_at_fault, struct diag *why) MUST_CHECK;

/* What to report about the lists. */
const struct finding *trust_findings(const struct trust *t, size_t *count);
struct trust *trust_ref(struct trust *t);
void trust_unref(struct trust *t); /* NULL is allowed */

/* No server can ever be verified with it. */
bool trust_is_empty(const struct trust *t);

/* Is x issued by a root (not an intermediate) that is trusted? */
bool trust_has_root_of(const struct trust *t, const X509 *x);

/* Appends bytes that are the same for two of them only if they trust the same. */
void trust_digest(const struct trust *t, struct buf *out);

const char *trust_path(const struct trust *t); /* NULL: the system's roots */

/* Was it loaded from these paths? */
bool trust_is_from(const struct trust *t, const char *path, const char *crl_path);

void trust_apply(const struct trust *t, SSL_CTX *context);

#endif
