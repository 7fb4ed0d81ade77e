/*
 * expiry: when to remind of a certificate that ends soon: 30, 14, 7, 3 and 1
 * days before the end, and on every day after it. Pure.
 */
#ifndef OPS_EXPIRY_H
#define OPS_EXPIRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The stage of the reminder; 0: no reminder yet. */
int expiry_stage(int64_t seconds_left);

/* The last reminders of n certificates. All zero: of no certificate. */
struct expiry {
    int *told;
    size_t n;
};

void expiry_free(struct expiry *e);
void expiry_start(struct expiry *e, size_t n); /* forgets earlier reminders */

/* Returns true once for each stage. */
bool expiry_is_due(struct expiry *e, size_t i, int64_t seconds_left);

#endif
