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

/* Writes two digits at a time, because the division takes most of the time. */
void buf_add_u64(struct buf *b, uint64_t value)
{
    static const char pairs[] =
        "00010203040506070809101112131415161718192021222324252627282930313233"
        "34353637383940414243444546474849505152535455565758596061626364656667"
        "6869707172737475767778798081828384858687888990919293949596979899";
    char digits[20];
    size_t i = sizeof(digits);

    for (; value > 9; value /= 100)
        memcpy(digits + (i -= 2), pairs + 2 * (value % 100), 2);
    if (value > 0 || i == sizeof(digits))
        digits[--i] = (char)('0' + value);
    buf_add(b, digits + i, sizeof(digits) - i);
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
