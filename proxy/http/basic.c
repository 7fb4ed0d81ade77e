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

static enum basic_result company_of_user(struct slice user, char out[BASIC_MAX_COMPANY])
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

enum basic_result basic_company(struct slice authorization, char out[BASIC_MAX_COMPANY])
{
    const size_t n_scheme = sizeof("basic") - 1;
    enum basic_result result = BASIC_NONE;

    if (authorization.n <= n_scheme ||
        !slice_eq_nocase((struct slice){authorization.p, n_scheme}, SLICE("basic")) ||
        (authorization.p[n_scheme] != ' ' && authorization.p[n_scheme] != '\t'))
        return BASIC_NONE;
    struct slice rest =
        slice_trim((struct slice){authorization.p + n_scheme, authorization.n - n_scheme});
    char *plain = mem_new(rest.n + 1);
    size_t n = base64_decode(rest, plain);
    if (n != SIZE_MAX && memchr(plain, ':', n) != NULL) {
        struct slice credentials = {plain, n};
        result = company_of_user(slice_split(&credentials, ':'), out);
    }
    explicit_bzero(plain, rest.n + 1);
    free(plain);
    return result;
}
