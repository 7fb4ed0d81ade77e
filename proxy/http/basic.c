#include "http/basic.h"

#include <stdlib.h>

#include "base/mem.h"

/* The base64 alphabet (RFC 4648, 4): for each character its value plus 1; 0: not in the
 * alphabet. */
/* clang-format off */
static const unsigned char base64_values[256] = {
    ['A'] = 1, ['B'] = 2, ['C'] = 3, ['D'] = 4, ['E'] = 5, ['F'] = 6, ['G'] = 7, ['H'] = 8,
    ['I'] = 9, ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
};
/* clang-format on */

/* Cuts the padding off. It may be missing as a whole (RFC 4648, 3.2). Returns false if it is
 * wrong. */
static bool cut_padding(struct slice *in)
{
    size_t n = in->n;

    while (n > 0 && in->p[n - 1] == '=')
        n--;
    bool padded = n < in->n;
    bool sound = n % 4 != 1 && (!padded || (in->n % 4 == 0 && in->n - n < 3));
    in->n = n;
    return sound;
}

/* 0 to 63; more: the character is not in the alphabet. */
static unsigned value_of(char c)
{
    return base64_values[(unsigned char)c] - 1U;
}

/* Decodes four characters into three bytes. Returns false if one is not in the alphabet. */
static bool decode_four(const char *in, char *out)
{
    unsigned a = value_of(in[0]), b = value_of(in[1]), c = value_of(in[2]), d = value_of(in[3]);

    out[0] = (char)(a << 2 | b >> 4);
    out[1] = (char)(b << 4 | c >> 2);
    out[2] = (char)(c << 6 | d);
    return (a | b | c | d) < 64;
}

/* Decodes into out, which has room for in.n bytes. Returns the length; SIZE_MAX if it is not strict
 * base64: no other characters, and unused bits are zero. */
static size_t base64_decode(struct slice in, char *out)
{
    unsigned bits = 0, value = 0;
    size_t n = 0, i = 0;

    if (!cut_padding(&in))
        return SIZE_MAX;
    for (; in.n - i >= 4; i += 4, n += 3)
        if (!decode_four(in.p + i, out + n))
            return SIZE_MAX;
    for (; i < in.n; i++) {
        unsigned v = value_of(in.p[i]);
        if (v > 63)
            return SIZE_MAX;
        value = value << 6 | v;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out[n++] = (char)(value >> bits & 0xff);
        }
    }
    return (value & ((1U << bits) - 1)) == 0 ? n : SIZE_MAX;
}

enum basic_result basic_company_of(struct slice user, char out[BASIC_MAX_COMPANY])
{
    const char *at = user.n == 0 ? NULL : memrchr(user.p, '@', user.n);

    if (at == NULL || at + 1 == user.p + user.n)
        return BASIC_NONE;
    size_t n = user.n - (size_t)(at + 1 - user.p);
    if (n >= BASIC_MAX_COMPANY || memchr(at + 1, '\0', n) != NULL)
        return BASIC_ODD;
    memcpy(out, at + 1, n);
    out[n] = '\0';
    return BASIC_NAMED;
}

/* The credentials after the scheme; p NULL: it is another scheme. */
static struct slice token_of(struct slice authorization)
{
    const size_t n_scheme = sizeof("basic") - 1;

    if (authorization.n <= n_scheme ||
        !slice_eq_nocase((struct slice){authorization.p, n_scheme}, SLICE("basic")) ||
        (authorization.p[n_scheme] != ' ' && authorization.p[n_scheme] != '\t'))
        return (struct slice){NULL, 0};
    return slice_trim((struct slice){authorization.p + n_scheme, authorization.n - n_scheme});
}

bool basic_read(struct slice authorization, struct basic *out)
{
    struct slice token = token_of(authorization);

    if (token.p == NULL)
        return false;
    out->size = token.n + 1;
    out->plain = out->size <= sizeof(out->room) ? out->room : mem_new(out->size);
    size_t n = base64_decode(token, out->plain);
    if (n == SIZE_MAX || memchr(out->plain, ':', n) == NULL) {
        basic_wipe(out);
        return false;
    }
    out->password = (struct slice){out->plain, n};
    out->user = slice_split(&out->password, ':');
    return true;
}

void basic_wipe(struct basic *b)
{
    explicit_bzero(b->plain, b->size);
    if (b->plain != b->room)
        free(b->plain);
    b->plain = NULL;
}

enum basic_result basic_company(struct slice authorization, char out[BASIC_MAX_COMPANY])
{
    struct basic b;

    if (!basic_read(authorization, &b))
        return BASIC_NONE;
    enum basic_result result = basic_company_of(b.user, out);
    basic_wipe(&b);
    return result;
}
