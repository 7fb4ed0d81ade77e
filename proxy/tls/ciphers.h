/*
 * ciphers: the order in which ciphers are offered.
 */
#ifndef TLS_CIPHERS_H
#define TLS_CIPHERS_H

#include <openssl/ssl.h>

/* Puts AES-128-GCM first (with ECDHE in TLS 1.2), as browsers do. It costs the least per byte, and
 * it is not weaker than the certificates in use. RFC 9325, 4.2 recommends it first, and RFC 8446,
 * 9.1 requires it. The system (openssl.cnf) decides which ciphers are offered, and the server which
 * one is used. */
void ciphers_order(SSL_CTX *context);

#endif
