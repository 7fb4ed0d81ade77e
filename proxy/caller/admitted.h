/*
 * admitted: credentials that were found right a short while ago, kept as
 * keyed hashes of which nothing can be learned.
 *
 * Only right ones come in, so that whoever guesses pushes nobody out. When it
 * is full, the oldest goes. A value's owner sees to it that one thread at a
 * time is here; now is any clock in milliseconds that does not jump.
 */
#ifndef CALLER_ADMITTED_H
#define CALLER_ADMITTED_H

#include <stdint.h>

#include "tls/secret.h"

enum { ADMITTED_MAX = 1024, ADMITTED_MS = 5 * 60 * 1000 };

struct admitted;

struct admitted *admitted_new(void);
void admitted_free(struct admitted *a);

/* Is it there, and no older than ADMITTED_MS? */
bool admitted_has(struct admitted *a, const unsigned char mac[SECRET_MAC_SIZE], int64_t now);

/* From now on it is there for ADMITTED_MS. */
void admitted_put(struct admitted *a, const unsigned char mac[SECRET_MAC_SIZE], int64_t now);

#endif
