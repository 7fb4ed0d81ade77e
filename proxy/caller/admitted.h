/*
 * admitted: credentials that were found to be right a short while ago. They are
 * kept as keyed hashes, which reveal nothing.
 *
 * Only right credentials are kept, so somebody who guesses passwords cannot
 * push out others. When the table is full, the oldest entry is forgotten. The
 * owner makes sure that only one thread at a time uses it. now: any clock in
 * milliseconds that does not jump.
 */
#ifndef CALLER_ADMITTED_H
#define CALLER_ADMITTED_H

#include <stdint.h>

#include "tls/secret.h"

enum {
    ADMITTED_MAX = 1024,         /* entries; of more, the oldest is forgotten */
    ADMITTED_MS = 5 * 60 * 1000, /* how long a password is remembered */
};

struct admitted;

struct admitted *admitted_new(void);
void admitted_free(struct admitted *a);

/* Was it put there in the last ADMITTED_MS? */
bool admitted_has(struct admitted *a, const unsigned char mac[SECRET_MAC_SIZE], int64_t now);

/* Remembers it for ADMITTED_MS. */
void admitted_put(struct admitted *a, const unsigned char mac[SECRET_MAC_SIZE], int64_t now);

#endif
