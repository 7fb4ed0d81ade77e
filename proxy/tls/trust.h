/*
 * trust: the certificates that a server's chain must end in.
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

struct trust;

/* path NULL: the system's roots. Otherwise each certificate in the file is trusted, root or not. */
enum status trust_load(const char *path, struct trust **out, struct diag *why) MUST_CHECK;
struct trust *trust_ref(struct trust *t);
void trust_unref(struct trust *t); /* NULL is no error */

/* No server can ever be verified with it. */
bool trust_is_empty(const struct trust *t);

/* Appends bytes that are the same for two of them only if they trust the same. */
void trust_digest(const struct trust *t, struct buf *out);

/* Was it loaded from that path? */
bool trust_is_from(const struct trust *t, const char *path);

void trust_apply(const struct trust *t, SSL_CTX *context);

#endif
