/*
 * server: the TLS server side: of a listener that insists on client
 * certificates, and of callers that have none.
 */
#ifndef TLS_SERVER_H
#define TLS_SERVER_H

#include "tls/credential.h"
#include "tls/trust.h"

/* Presents c; lets in only callers whose certificate chains to t. The caller frees the context. */
enum status tls_server_new(const struct credential *c, const struct trust *t, SSL_CTX **out,
                           struct diag *why) MUST_CHECK;

/* Presents c to callers of any kind, and speaks HTTP/1.1 only (ALPN). The caller frees the
 * context. */
enum status tls_server_open(const struct credential *c, SSL_CTX **out, struct diag *why) MUST_CHECK;

#endif
