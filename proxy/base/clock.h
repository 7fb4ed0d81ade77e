/*
 * clock: the two times a program needs, and never one in place of the other.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

int64_t clock_monotonic_us(void); /* for durations and deadlines; since some point in the past */
int64_t clock_wall_us(void);      /* for log lines and certificates; since 1970, UTC; it can jump */

/* Writes wall-clock microseconds as RFC 3339, "2026-11-22T08:15:30.123Z", NUL-terminated. */
enum { CLOCK_TEXT_SIZE = 25 };
void clock_text(int64_t wall_us, char out[CLOCK_TEXT_SIZE]);

#endif
