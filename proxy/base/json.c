#include "base/json.h"

#include "base/utf8.h"

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
    } else { /* RFC 8259, 7: such a character is written as two surrogates */
        add_code(b, 0xd800 + ((code - 0x10000) >> 10));
        add_code(b, 0xdc00 + (code & 0x3ff));
    }
}

static bool is_plain(char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

void json_add(struct buf *b, struct slice s)
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

void json_add_member(struct buf *b, const char *name, struct slice value)
{
    bool first = b->n == 0 || b->p[b->n - 1] == '{';

    buf_addf(b, "%s\"%s\":", first ? "" : ",", name);
    if (value.p == NULL) {
        buf_add_string(b, "null");
        return;
    }
    buf_add(b, "\"", 1);
    json_add(b, value);
    buf_add(b, "\"", 1);
}
