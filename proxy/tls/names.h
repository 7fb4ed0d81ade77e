/*
 * names: names, numbers and times in certificates, as text and for comparison.
 */
#ifndef TLS_NAMES_H
#define TLS_NAMES_H

#include <stdint.h>

#include <openssl/x509.h>

#include "base/buf.h"

/* The name as in RFC 2253. The user frees it. */
char *names_text(const X509_NAME *name);

/* The DNS names and IP addresses in subjectAltName (RFC 5280, 4.2.1.6); empty if there are none.
 * Bytes that are not visible ASCII become '?'. The user frees it. */
char *names_alternative(const X509 *x);

int64_t names_seconds(const ASN1_TIME *t); /* since 1970; 0: unreadable */

/* Appends the serial number in hexadecimal digits. */
void names_add_serial(struct buf *out, const ASN1_INTEGER *number);

#endif
