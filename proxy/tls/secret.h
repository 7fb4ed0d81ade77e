/*
 * secret: the functions for passwords that need OpenSSL: comparing in constant
 * time, keyed hashes, and wiping.
 */
#ifndef TLS_SECRET_H
#define TLS_SECRET_H

#include <stdbool.h>

#include "base/slice.h"

enum { SECRET_KEY_SIZE = 32, SECRET_MAC_SIZE = 32 };

/* Makes a random key for this run. The program aborts if the system has no randomness. */
void secret_make_key(unsigned char out[SECRET_KEY_SIZE]);

/* HMAC-SHA-256 (RFC 2104) over the parts, each with its length before it, so that their borders
 * matter. */
void secret_mac(const unsigned char key[SECRET_KEY_SIZE], const struct slice *parts, size_t count,
                unsigned char out[SECRET_MAC_SIZE]);

/* Compares n bytes in a time that does not depend on their values. */
bool secret_equal(const void *a, const void *b, size_t n);

void secret_wipe(void *p, size_t n);

#endif
