/*
 * verify: handles failures of OpenSSL's verification of a server. Notes in
 * struct tls_report which certificate or CRL is at fault, for the sentence.
 * Ignores that a CRL is missing.
 */
#ifndef TLS_VERIFY_H
#define TLS_VERIFY_H

#include <stdatomic.h>

#include <openssl/ssl.h>

/* The server that a context is for. Any thread may use it. */
struct verify {
    const char *host;      /* host and ca_file belong to the tls_client */
    const char *ca_file;   /* file of the trusted certificates; NULL: the system's */
    atomic_bool lacks_crl; /* the log has reported the missing CRL */
};

/* Verifies servers on all connections of the context, whose app data becomes v. v has to outlive
 * the context; host and ca_file must be set. */
void verify_attach(struct verify *v, SSL_CTX *context);

/* Where the issuer of a server is searched for: "among the system's roots", or "in FILE". */
const char *verify_place(const SSL *ssl, char *room, size_t size);

#endif
