/*
 * verify: what happens when a server's certificate does not pass OpenSSL's
 * verification: which certificate or CRL is at fault is remembered for the
 * sentence (struct tls_link), and a missing CRL is let pass.
 */
#ifndef TLS_VERIFY_H
#define TLS_VERIFY_H

#include <stdatomic.h>

#include <openssl/ssl.h>

/* The server that a context is for. Any thread. */
struct verify {
    const char *host;      /* borrowed, as the next */
    const char *ca_file;   /* where the trusted certificates are from; NULL: the system */
    atomic_bool lacks_crl; /* which the log was told */
};

/* Servers are verified on all connections of that context, whose app data v becomes; v must outlive
 * it, and has host and ca_file. */
void verify_attach(struct verify *v, SSL_CTX *context);

/* What is searched for the issuer of a server: "the system's roots", or which file. */
const char *verify_place(const SSL *ssl, char *room, size_t size);

#endif
