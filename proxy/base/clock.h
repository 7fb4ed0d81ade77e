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

enum { SECONDS_PER_MINUTE = 60, SECONDS_PER_HOUR = 3600, SECONDS_PER_DAY = 86400 };

/* The same in seconds. Inline, so that a test that replaces the clock replaces this, too. */
static inline int64_t clock_wall_s(void)
{
    return clock_wall_us() / 1000000;
}

/* Writes wall-clock microseconds as RFC 3339, "2026-11-22T08:15:30.123Z", NUL-terminated. */
enum { CLOCK_TEXT_SIZE = 25 };
void clock_text(int64_t wall_us, char out[CLOCK_TEXT_SIZE]);

static inline void clock_text_s(int64_t wall_s, char out[CLOCK_TEXT_SIZE])
{
    clock_text(wall_s * 1000000, out);
}

#endif
