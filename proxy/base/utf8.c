#include "base/utf8.h"

#include <string.h>

#include "base/buf.h"

static bool is_tail(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

/* The length of a sequence that begins with this byte; 0: no sequence does. */
static size_t length_of(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first < 0xc2 || first > 0xf4)
        return 0;
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

static uint32_t decode(const unsigned char *s, size_t length)
{
    static const unsigned char first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t code = s[0] & first_bits[length];

    for (size_t i = 1; i < length; i++)
        code = code << 6 | (s[i] & 0x3f);
    return code;
}

size_t utf8_decode(const char *p, size_t n, uint32_t *code)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *s = (const unsigned char *)p;
    size_t length = length_of(s[0]);

    if (length == 0 || length > n)
        return 0;
    for (size_t i = 1; i < length; i++)
        if (!is_tail(s[i]))
            return 0;
    *code = decode(s, length);
    bool surrogate = *code >= 0xd800 && *code <= 0xdfff;
    return *code < smallest[length] || *code > 0x10ffff || surrogate ? 0 : length;
}

/* Code points that are not visible, in order: the categories Cc, Cf, Zl and Zp, the property
 * Default_Ignorable_Code_Point (DerivedCoreProperties.txt of Unicode 16.0), and the noncharacters
 * (23.7). utf8_is_visible() checks the last two of each plane itself. */
static const struct {
    uint32_t first, last;
} hidden[] = {
    {0x0000, 0x001f},   {0x007f, 0x009f},   {0x00ad, 0x00ad},   {0x034f, 0x034f},
    {0x0600, 0x0605},   {0x061c, 0x061c},   {0x06dd, 0x06dd},   {0x070f, 0x070f},
    {0x0890, 0x0891},   {0x08e2, 0x08e2},   {0x115f, 0x1160},   {0x17b4, 0x17b5},
    {0x180b, 0x180f},   {0x200b, 0x200f},   {0x2028, 0x202e},   {0x2060, 0x206f},
    {0x3164, 0x3164},   {0xfdd0, 0xfdef},   {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},
    {0xffa0, 0xffa0},   {0xfff0, 0xfffb},   {0x110bd, 0x110bd}, {0x110cd, 0x110cd},
    {0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
};

bool utf8_is_visible(uint32_t code)
{
    size_t low = 0, high = ARRAY_LEN(hidden);

    if (code >= 0x20 && code < 0x7f)
        return true;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (code > hidden[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    bool listed = low < ARRAY_LEN(hidden) && code >= hidden[low].first;
    return !listed && (code & 0xfffe) != 0xfffe;
}

size_t utf8_visible(const char *p, size_t n)
{
    uint32_t code;
    size_t length = utf8_decode(p, n, &code);

    return length > 0 && utf8_is_visible(code) ? length : 0;
}

static void add_escaped(struct buf *out, uint32_t code)
{
    buf_addf(out, code > 0xffff ? "\\U%08lx" : "\\u%04lx", (unsigned long)code);
}

char *utf8_escape(const char *text)
{
    size_t left = strlen(text), n;
    struct buf out = {0};
    uint32_t code;

    for (; left > 0; text += n, left -= n) {
        n = utf8_decode(text, left, &code);
        if (n == 0) {
            buf_addf(&out, "\\x%02x", (unsigned char)*text);
            n = 1;
        } else if (utf8_is_visible(code)) {
            buf_add(&out, text, n);
        } else {
            add_escaped(&out, code);
        }
    }
    buf_add(&out, "", 1);
    return out.p;
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
