#include "base/utf8.h"

#include <stdbool.h>
#include <string.h>

static bool is_tail(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* The number of bytes that a sequence with this first byte has; 0: none begins with it. */
static size_t length_of(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

uint32_t utf8_code(const char *p, size_t length)
{
    static const unsigned char first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    const unsigned char *s = (const unsigned char *)p;
    uint32_t code = s[0] & first_bits[length];

    for (size_t i = 1; i < length; i++)
        code = code << 6 | (s[i] & 0x3f);
    return code;
}

size_t utf8_visible(const char *p, size_t n)
{
    static const uint32_t smallest[] = {0, 0x20, 0xa0, 0x800, 0x10000};
    const unsigned char *s = (const unsigned char *)p;
    size_t length = length_of(s[0]);

    if (length == 0 || length > n)
        return 0;
    for (size_t i = 1; i < length; i++)
        if (!is_tail(s[i]))
            return 0;
    uint32_t code = utf8_code(p, length);
    bool surrogate = code >= 0xd800 && code <= 0xdfff;
    return code < smallest[length] || code == 0x7f || code > 0x10ffff || surrogate ? 0 : length;
}

static bool begins(struct slice text, const char *mark, size_t n)
{
    return text.n >= n && memcmp(text.p, mark, n) == 0;
}

void utf8_skip_mark(struct slice *text)
{
    if (begins(*text, "\xef\xbb\xbf", 3))
        *text = (struct slice){text->p + 3, text->n - 3};
}

bool utf8_is_16(struct slice text)
{
    return begins(text, "\xff\xfe", 2) || begins(text, "\xfe\xff", 2);
}
