/*
 * error: what OpenSSL reports, told in one sentence, and put into the failure
 * vocabulary.
 */
#ifndef TLS_ERROR_H
#define TLS_ERROR_H

#include <openssl/ssl.h>

#include "base/fail.h"

/* The reason of the first error in OpenSSL's queue, which is emptied. Never NULL. */
const char *tls_error_text(void);

/* Why the handshake or transfer of ssl with host failed; empties OpenSSL's queue. */
void tls_explain(const SSL *ssl, const char *host, struct failure *why);

#endif
