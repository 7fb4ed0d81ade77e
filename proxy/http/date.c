#include "http/date.h"

#include <time.h>

#include "base/status.h"

enum { DATE_MAX = 64 }; /* bytes; the longest form (RFC 9110, 5.6.7) has 33 */

bool date_read(struct slice value, int64_t *seconds)
{
    static const char *const forms[] = {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
                                        "%a %b %d %H:%M:%S %Y"};
    char text[DATE_MAX];

    if (value.n == 0 || value.n >= sizeof(text))
        return false;
    memcpy(text, value.p, value.n);
    text[value.n] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        struct tm tm = {0};
        const char *end = strptime(text, forms[i], &tm);
        if (end == NULL || *end != '\0')
            continue;
        *seconds = timegm(&tm);
        return true;
    }
    return false;
}

void date_write(struct buf *out, int64_t seconds)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    time_t t = (time_t)seconds;
    struct tm tm;

    (void)gmtime_r(&t, &tm);
    buf_addf(out, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + 3 * tm.tm_wday, tm.tm_mday,
             months + 3 * tm.tm_mon, tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

bool date_read_retry_after(struct slice value, int64_t now, int64_t *seconds)
{
    uint64_t n = INT32_MAX;
    int64_t at;

    value = slice_trim(value);
    if (slice_is_number(value)) {
        (void)slice_to_u64(value, INT32_MAX, &n); /* larger values have the same effect */
        *seconds = (int64_t)n;
        return true;
    }
    if (!date_read(value, &at))
        return false;
    *seconds = at > now ? at - now : 0;
    return true;
}
