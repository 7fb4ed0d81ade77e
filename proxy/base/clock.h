/*
 * clock: the monotonic time and the wall-clock time, which never replace each
 * other.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

int64_t clock_monotonic_us(void); /* for durations and deadlines; its zero is arbitrary */
/* for log lines and certificates; since 1970 in UTC; it can jump */
int64_t clock_wall_us(void);

/* Writes wall-clock microseconds as RFC 3339, "2026-11-22T08:15:30.123Z", NUL-terminated. */
enum { CLOCK_TEXT_SIZE = 25 };
void clock_text(int64_t wall_us, char out[CLOCK_TEXT_SIZE]);

#endif
