/*
 * ciphers: in which order the ciphers are offered.
 */
#ifndef TLS_CIPHERS_H
#define TLS_CIPHERS_H

#include <openssl/ssl.h>

/* AES-128-GCM first, as browsers offer it (with ECDHE in TLS 1.2): it costs the least per byte, and
 * it is not weaker than the certificates that are used with it (RFC 9325, 4.2 recommends it first,
 * RFC 8446, 9.1 demands it). Where openssl.cnf says which ciphers are offered, it also
 * says in which order: nothing is changed. */
void ciphers_order(SSL_CTX *context);

#endif
