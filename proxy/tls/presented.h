/*
 * presented: how the certificate that a connection presents looks to the server
 * that asked for it.
 */
#ifndef TLS_PRESENTED_H
#define TLS_PRESENTED_H

#include <stdbool.h>

#include <openssl/ssl.h>

/* The server has named the CAs that it accepts (RFC 8446, 4.2.4), and no certificate that is sent
 * is of one of them. */
bool presented_is_of_another_ca(const SSL *ssl);

/* The certificate is sent alone, and the server has not named the CA that issued it; if it named
 * any, then one of the same organisation, which may be above that CA. */
bool presented_is_alone(const SSL *ssl);

/* It has an extended key usage, and clientAuth is not in it. */
bool presented_is_not_for_clients(const SSL *ssl);

#endif
