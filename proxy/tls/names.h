/*
 * names: the names, numbers and times in certificates, for people and for
 * comparison.
 */
#ifndef TLS_NAMES_H
#define TLS_NAMES_H

#include <stdint.h>

#include <openssl/x509.h>

#include "base/buf.h"

/* As RFC 2253 writes it; the caller frees it. */
char *names_text(const X509_NAME *name);

/* The names for which a certificate vouches (subjectAltName, RFC 5280, 4.2.1.6): DNS names and IP
 * addresses; the caller frees it. "" if there are none. Bytes that are no visible ASCII become
 * '?'. */
char *names_alternative(const X509 *x);

int64_t names_seconds(const ASN1_TIME *t); /* since 1970; 0: it cannot be read */

/* The serial number in hexadecimal digits. */
void names_add_serial(struct buf *out, const ASN1_INTEGER *number);

#endif
