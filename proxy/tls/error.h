/*
 * error: turns OpenSSL's errors into one sentence, and into a failure.
 */
#ifndef TLS_ERROR_H
#define TLS_ERROR_H

#include <stdbool.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/fail.h"

/* The reason in an error code of OpenSSL or of the system. Never NULL. */
const char *tls_reason_text(unsigned long code);

/* The reason of the first error in OpenSSL's queue. Empties the queue. Never NULL. */
const char *tls_error_text(void);

/* Call it before each call of SSL functions, whose errors are read from an empty queue. It is cheap
 * if there was no error; ERR_clear_error() is not. */
static inline void tls_expect_no_error(void)
{
    if (ERR_peek_error() != 0)
        ERR_clear_error();
}

/* Explains why the handshake (or after it, the transfer) with host failed. Empties OpenSSL's
 * queue. */
void tls_explain(const SSL *ssl, bool handshake_done, const char *host, struct failure *why);

#endif
