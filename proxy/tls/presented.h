/*
 * presented: how our certificate in a connection looks to the server that has
 * asked for it.
 */
#ifndef TLS_PRESENTED_H
#define TLS_PRESENTED_H

#include <stdbool.h>

#include <openssl/ssl.h>

/* True if the server has named the CAs that it accepts (RFC 8446, 4.2.4), and none of them issued a
 * certificate that we send. */
bool presented_is_of_another_ca(const SSL *ssl);

/* True if our certificate is sent without a chain, and the server has not named the CA that issued
 * it. If the server has named CAs, one of them must be of the same organisation: it may be above
 * that CA. */
bool presented_is_alone(const SSL *ssl);

/* True if our certificate has an extended key usage without clientAuth. */
bool presented_is_not_for_clients(const SSL *ssl);

#endif
