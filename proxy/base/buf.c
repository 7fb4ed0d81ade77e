#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"

void buf_reserve(struct buf *b, size_t more)
{
    size_t cap = b->cap == 0 ? 256 : b->cap;

    while (cap - b->n < more)
        cap *= 2;
    if (cap == b->cap)
        return;
    b->p = mem_grow(b->p, cap);
    b->cap = cap;
}

static size_t count_digits(uint64_t value)
{
    size_t n = 1;

    for (; value > 9; value /= 10)
        n++;
    return n;
}

/* Most numbers are small: digits that are written right into their place cost less than digits that
 * are copied there from an array. */
void buf_add_u64(struct buf *b, uint64_t value)
{
    size_t n = count_digits(value);

    if (b->cap - b->n < n)
        buf_reserve(b, n);
    b->n += n;
    for (char *digit = b->p + b->n; n > 0; n--, value /= 10)
        *--digit = (char)('0' + value % 10);
}

void buf_addf(struct buf *b, const char *format, ...)
{
    va_list args, again;

    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n > 0) {
        buf_reserve(b, (size_t)n + 1);
        (void)vsnprintf(b->p + b->n, (size_t)n + 1, format, again);
        b->n += (size_t)n;
    }
    va_end(again);
}
