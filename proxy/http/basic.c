#include "http/basic.h"

#include <stdlib.h>

#include "base/mem.h"

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Decodes into out, which has room for in.n bytes; the length, or SIZE_MAX if it is not base64. */
static size_t base64_decode(struct slice in, char *out)
{
    unsigned bits = 0, value = 0;
    size_t n = 0;

    while (in.n > 0 && in.p[in.n - 1] == '=')
        in.n--;
    for (size_t i = 0; i < in.n; i++) {
        int v = base64_value(in.p[i]);
        if (v < 0)
            return SIZE_MAX;
        value = value << 6 | (unsigned)v;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out[n++] = (char)(value >> bits & 0xff);
        }
    }
    return n;
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

/* What stands behind the scheme; p NULL: it is another scheme. */
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
    *out = (struct basic){.plain = mem_new(token.n + 1), .size = token.n + 1};
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
