#include "base/slice.h"

bool slice_eq_nocase(struct slice a, struct slice b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
            return false;
    return true;
}

bool slice_ends_nocase(struct slice s, struct slice tail)
{
    return s.n >= tail.n && slice_eq_nocase((struct slice){s.p + s.n - tail.n, tail.n}, tail);
}

struct slice slice_split(struct slice *s, char c)
{
    const char *at = s->n == 0 ? NULL : memchr(s->p, c, s->n);
    struct slice first = *s;

    if (s->n == 0)
        return first;
    if (at == NULL) {
        *s = (struct slice){s->p + s->n, 0};
        return first;
    }
    first.n = (size_t)(at - s->p);
    s->p = at + 1;
    s->n -= first.n + 1;
    return first;
}

bool slice_is_number(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.n > 0;
}

bool slice_to_u64(struct slice s, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;

    if (s.n == 0)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        unsigned digit = (unsigned)(s.p[i] - '0');
        if (value > (max - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}
