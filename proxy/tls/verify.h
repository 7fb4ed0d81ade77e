/*
 * verify: what happens when a server's certificate does not pass OpenSSL's
 * verification: which certificate or CRL is at fault is remembered for the
 * sentence, and a missing CRL is let pass.
 */
#ifndef TLS_VERIFY_H
#define TLS_VERIFY_H

#include <openssl/x509.h>

/* For SSL_CTX_set_verify() of a struct tls_client. */
int verify_on_result(int ok, X509_STORE_CTX *ctx);

#endif
