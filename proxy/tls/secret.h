/*
 * secret: what a password needs that only OpenSSL does well: it is compared in
 * constant time, remembered as nothing but a keyed hash, and wiped for good.
 */
#ifndef TLS_SECRET_H
#define TLS_SECRET_H

#include <stdbool.h>

#include "base/slice.h"

enum { SECRET_KEY_SIZE = 32, SECRET_MAC_SIZE = 32 };

/* A key of this run. The program ends if there is no randomness to be had. */
void secret_make_key(unsigned char out[SECRET_KEY_SIZE]);

/* HMAC-SHA-256 (RFC 2104) over the parts, each after its length: where one ends makes a
 * difference. */
void secret_mac(const unsigned char key[SECRET_KEY_SIZE], const struct slice *parts, size_t count,
                unsigned char out[SECRET_MAC_SIZE]);

/* Takes the same time whatever n bytes there are. */
bool secret_equal(const void *a, const void *b, size_t n);

void secret_wipe(void *p, size_t n);

#endif
