#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/utf8.h"

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

static void add_code(struct buf *b, uint32_t code)
{
    static const char hex[] = "0123456789abcdef";

    buf_add(b,
            (char[]){'\\', 'u', hex[code >> 12], hex[code >> 8 & 15], hex[code >> 4 & 15],
                     hex[code & 15]},
            6);
}

static void add_escaped(struct buf *b, uint32_t code)
{
    static const char *const named[0x20] = {
        ['\b'] = "\\b", ['\f'] = "\\f", ['\n'] = "\\n", ['\r'] = "\\r", ['\t'] = "\\t"};

    if (code == '"' || code == '\\') {
        buf_add(b, (char[]){'\\', (char)code}, 2);
    } else if (code < 0x20 && named[code] != NULL) {
        buf_add_string(b, named[code]);
    } else if (code < 0x10000) {
        add_code(b, code);
    } else { /* RFC 8259, 7: a pair of surrogates */
        add_code(b, 0xd800 + ((code - 0x10000) >> 10));
        add_code(b, 0xdc00 + (code & 0x3ff));
    }
}

static bool is_plain(char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

void buf_add_json(struct buf *b, struct slice s)
{
    const char *p = s.p, *end = p + s.n;

    while (p < end) {
        const char *plain = p;
        uint32_t code;
        while (p < end && is_plain(*p))
            p++;
        buf_add(b, plain, (size_t)(p - plain));
        if (p == end)
            break;
        size_t n = utf8_decode(p, (size_t)(end - p), &code);
        if (n == 0)
            buf_add_string(b, "\xef\xbf\xbd");
        else if (n > 1 && utf8_is_visible(code))
            buf_add(b, p, n);
        else
            add_escaped(b, code);
        p += n > 0 ? n : 1;
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
