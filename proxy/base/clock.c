#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec t;

    (void)clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_monotonic_us(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_wall_us(void)
{
    return read_clock(CLOCK_REALTIME);
}

void clock_text(int64_t wall_us, char out[CLOCK_TEXT_SIZE])
{
    static _Thread_local int64_t last_second = -1;
    static _Thread_local char last_text[CLOCK_TEXT_SIZE];
    int64_t second = wall_us / 1000000;
    int ms = (int)(wall_us / 1000 % 1000);

    if (second != last_second) {
        time_t t = (time_t)second;
        struct tm tm;
        (void)gmtime_r(&t, &tm);
        (void)strftime(last_text, sizeof(last_text), "%Y-%m-%dT%H:%M:%S.000Z", &tm);
        last_second = second;
    }
    memcpy(out, last_text, CLOCK_TEXT_SIZE);
    out[20] = (char)('0' + ms / 100);
    out[21] = (char)('0' + ms / 10 % 10);
    out[22] = (char)('0' + ms % 10);
}
