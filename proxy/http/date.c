#include "http/date.h"

#include <time.h>

#include "base/status.h"

enum { DATE_MAX = 64 };

bool date_read(struct slice value, int64_t *seconds)
{
    static const char *const forms[] = {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
                                        "%a %b %d %H:%M:%S %Y"};
    char text[DATE_MAX];

    if (value.n >= sizeof(text))
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

static bool is_number(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.n > 0;
}

bool date_read_retry_after(struct slice value, int64_t now, int64_t *seconds)
{
    uint64_t n = INT32_MAX;
    int64_t at;

    value = slice_trim(value);
    if (is_number(value)) {
        (void)slice_to_u64(value, INT32_MAX, &n); /* larger values have the same effect */
        *seconds = (int64_t)n;
        return true;
    }
    if (!date_read(value, &at))
        return false;
    *seconds = at > now ? at - now : 0;
    return true;
}
