/*
 * error: what OpenSSL reports, told in one sentence, and put into the failure
 * vocabulary.
 */
#ifndef TLS_ERROR_H
#define TLS_ERROR_H

#include <stdbool.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/fail.h"

/* The reason of an error of OpenSSL, or of the system. Never NULL. */
const char *tls_reason_text(unsigned long code);

/* The reason of the first error in OpenSSL's queue, which is emptied. Never NULL. */
const char *tls_error_text(void);

/* To be called before each call into SSL: what it reports is read from an empty queue. Cheap as
 * long as nothing failed, which ERR_clear_error() is not. */
static inline void tls_expect_no_error(void)
{
    if (ERR_peek_error() != 0)
        ERR_clear_error();
}

/* Why the handshake (or, once that is done, the transfer) of ssl with host failed; empties
 * OpenSSL's queue. */
void tls_explain(const SSL *ssl, bool handshake_done, const char *host, struct failure *why);

#endif
