#include "http/mask.h"

#include <string.h>

#include "http/chars.h"

/* The character at *i, percent-decoded if it is encoded. Moves *i past it. */
static inline char next_char(struct slice s, size_t *i)
{
    char c = s.p[*i];
    int high = c == '%' && s.n - *i > 2 ? char_hex(s.p[*i + 1]) : -1;
    int low = high >= 0 ? char_hex(s.p[*i + 2]) : -1;

    *i += low >= 0 ? 3 : 1;
    return low >= 0 ? (char)(high * 16 + low) : c;
}

/* Skips from after an opening quote to after the closing one. '' inside is a quote (OData ABNF). */
static size_t skip_literal(struct slice s, size_t i)
{
    while (i < s.n) {
        size_t behind = i;
        if (next_char(s, &behind) != '\'') {
            i = behind;
            continue;
        }
        i = behind;
        if (i >= s.n || next_char(s, &behind) != '\'')
            return i;
        i = behind;
    }
    return i;
}

/* Skips from after an opening parenthesis to after the closing one. */
static size_t skip_predicate(struct slice s, size_t i)
{
    int depth = 1;

    while (i < s.n && depth > 0) {
        char c = next_char(s, &i);
        if (c == '\'')
            i = skip_literal(s, i);
        else if (c == '(')
            depth++;
        else if (c == ')')
            depth--;
    }
    return i;
}

static bool is_visible(char c)
{
    return c > 0x20 && c < 0x7f;
}

void mask_invisible(struct buf *out, struct slice path)
{
    while (path.n > 0) {
        size_t n = 0;
        while (n < path.n && is_visible(path.p[n]))
            n++;
        buf_add(out, path.p, n);
        if (n < path.n)
            buf_addf(out, "%%%02X", (unsigned char)path.p[n++]);
        path = (struct slice){path.p + n, path.n - n};
    }
}

struct slice mask_target(struct slice target)
{
    struct slice query = target, path = slice_split(&query, '?');
    size_t behind = path.n;

    if (path.n > 0 && path.p[0] == '/')
        return path;
    while (behind > 0 && path.p[behind - 1] != '@')
        behind--;
    path = (struct slice){path.p + behind, path.n - behind};
    const char *authority = memmem(path.p, path.n, "://", 3);
    const char *host = authority == NULL ? path.p : authority + 3;
    bool cut = memchr(host, '/', (size_t)(path.p + path.n - host)) == NULL;
    if (cut && query.n > 0 && memchr(query.p, '@', query.n) != NULL)
        path.n = 0; /* the '?' may be part of a password */
    return path;
}

/* What is between two masked parts is added as one piece. */
void mask_path(struct buf *out, struct slice path)
{
    size_t shown = 0, i = 0;

    while (i < path.n) {
        size_t behind = i;
        char c = next_char(path, &behind);
        if (c != '(' && c != '\'') {
            i = behind;
            continue;
        }
        mask_invisible(out, (struct slice){path.p + shown, i - shown});
        buf_add(out, "(...)", 5);
        i = c == '(' ? skip_predicate(path, behind) : skip_literal(path, behind);
        shown = i;
    }
    if (shown < path.n)
        mask_invisible(out, (struct slice){path.p + shown, path.n - shown});
}
