/*
 * cert_fetch: `sfmtls cert fetch`: gets a certificate from BTP's Destination
 * service into a file, or has one made there for a key that is made here.
 */
#ifndef CLI_CERT_FETCH_H
#define CLI_CERT_FETCH_H

#include <stdbool.h>

struct cert_fetch {
    const char *service_key, *name, *level, *ca_file, *passphrase_file;
    /* NULL: the certificate's name, in the current folder. "-": stdout. */
    const char *out;
    const char *private_key; /* NULL: the key is in the certificate's file */
    bool csr;
    const char *key_out, *common_name, *validity; /* only with csr */
    bool no_renew;
    const char *proxy, *proxy_user, *proxy_password_file, *proxy_auth; /* of the parent proxy */
};

/* Returns the exit code. */
int cert_fetch(const struct cert_fetch *a);

#endif
