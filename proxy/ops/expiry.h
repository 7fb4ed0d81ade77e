/*
 * expiry: when to remind of a certificate that is about to end: at 30, 14, 7, 3
 * and 1 days, and once on every day after the end. Pure.
 */
#ifndef OPS_EXPIRY_H
#define OPS_EXPIRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 0: no need to worry yet. */
int expiry_stage(int64_t seconds_left);

/* What was told of each of n certificates. All zero: of none. */
struct expiry {
    int *told;
    size_t n;
};

void expiry_free(struct expiry *e);
void expiry_start(struct expiry *e, size_t n); /* forgets what was told before */

/* True once for each stage; then it counts as told. */
bool expiry_is_due(struct expiry *e, size_t i, int64_t seconds_left);

#endif
