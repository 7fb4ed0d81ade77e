/*
 * server: the TLS server side: for a listener that requires client
 * certificates, and for callers without one.
 */
#ifndef TLS_SERVER_H
#define TLS_SERVER_H

#include "tls/credential.h"
#include "tls/trust.h"

/* Presents c, and admits only callers whose certificate chains to t. The user frees the context. */
enum status tls_server_new(const struct credential *c, const struct trust *t, SSL_CTX **out,
                           struct diag *why) MUST_CHECK;

/* Presents c to all callers, and speaks only HTTP/1.1 (ALPN). The user frees the context. */
enum status tls_server_open(const struct credential *c, SSL_CTX **out, struct diag *why) MUST_CHECK;

#endif
