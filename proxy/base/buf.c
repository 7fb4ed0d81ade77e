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

void buf_add_u64(struct buf *b, uint64_t value)
{
    char digits[20];
    size_t i = sizeof(digits);

    do {
        digits[--i] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
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

/* Length of the well-formed UTF-8 sequence (RFC 3629, 4) at p, 0 if there is none. */
static size_t utf8_length(const unsigned char *p, size_t n)
{
    size_t len = p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;

    if (len == 0 || n < len)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
        (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
        return 0;
    return len;
}

static void add_escaped(struct buf *b, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char *const named[0x20] = {
        ['\b'] = "\\b", ['\f'] = "\\f", ['\n'] = "\\n", ['\r'] = "\\r", ['\t'] = "\\t"};

    if (c == '"' || c == '\\')
        buf_add(b, (char[]){'\\', (char)c}, 2);
    else if (c < 0x20 && named[c] != NULL)
        buf_add_string(b, named[c]);
    else
        buf_add(b, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
}

void buf_add_json(struct buf *b, struct slice s)
{
    const unsigned char *p = (const unsigned char *)s.p, *end = p + s.n;

    while (p < end) {
        const unsigned char *plain = p;
        while (p < end && *p >= 0x20 && *p < 0x7f && *p != '"' && *p != '\\')
            p++;
        buf_add(b, (const char *)plain, (size_t)(p - plain));
        if (p == end)
            break;
        size_t len = *p < 0x80 ? 0 : utf8_length(p, (size_t)(end - p));
        if (len > 0)
            buf_add(b, (const char *)p, len);
        else if (*p >= 0x80)
            buf_add_string(b, "\xef\xbf\xbd");
        else
            add_escaped(b, *p);
        p += len > 0 ? len : 1;
    }
}

void buf_add_json_member(struct buf *b, const char *name, struct slice value)
{
    bool first = b->n == 0 || b->p[b->n - 1] == '{';

    buf_addf(b, "%s\"%s\":", first ? "" : ",", name);
    if (value.p == NULL) {
        buf_add_string(b, "null");
        return;
    }
    buf_add(b, "\"", 1);
    buf_add_json(b, value);
    buf_add(b, "\"", 1);
}
