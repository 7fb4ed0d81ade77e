#include "http/challenge.h"

#include "http/chars.h"

static void advance(struct slice *s, size_t n)
{
    if (n > 0) /* otherwise p may be NULL */
        s->p += n;
    s->n -= n;
}

static void skip_blanks(struct slice *s)
{
    while (s->n > 0 && (*s->p == ' ' || *s->p == '\t'))
        advance(s, 1);
}

/* Skips blanks and commas, because empty members of a list mean nothing. */
static void skip_separators(struct slice *s)
{
    while (s->n > 0 && (*s->p == ' ' || *s->p == '\t' || *s->p == ','))
        advance(s, 1);
}

static struct slice take_token(struct slice *s)
{
    struct slice token = {s->p, 0};

    while (token.n < s->n && char_is(s->p[token.n], CHAR_TOKEN))
        token.n++;
    advance(s, token.n);
    return token;
}

static bool is_token68(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~' || c == '+' || c == '/';
}

/* A token68 that is followed by a comma or by the end; otherwise p is NULL. */
static struct slice take_token68(struct slice *s)
{
    struct slice rest = *s, token = {s->p, 0};

    while (token.n < s->n && is_token68(s->p[token.n]))
        token.n++;
    while (token.n > 0 && token.n < s->n && s->p[token.n] == '=')
        token.n++;
    advance(&rest, token.n);
    skip_blanks(&rest);
    if (rest.n > 0 && *rest.p != ',')
        return (struct slice){NULL, 0};
    *s = rest;
    return token;
}

/* A quoted string, with its quotes, or a token. */
static bool take_value(struct slice *s, struct slice *out)
{
    if (s->n == 0 || *s->p != '"') {
        *out = take_token(s);
        return out->n > 0;
    }
    size_t i = 1;
    while (i < s->n && s->p[i] != '"')
        i += s->p[i] == '\\' ? 2 : 1;
    if (i >= s->n)
        return false;
    *out = (struct slice){s->p, i + 1};
    advance(s, i + 1);
    return true;
}

static bool take_param(struct slice *s, struct slice *name, struct slice *value)
{
    struct slice at = *s;

    *name = take_token(&at);
    skip_blanks(&at);
    if (name->n == 0 || at.n == 0 || *at.p != '=')
        return false;
    advance(&at, 1);
    skip_blanks(&at);
    if (!take_value(&at, value))
        return false;
    *s = at;
    return true;
}

/* Takes all parameters that follow. */
static struct slice take_params(struct slice *s)
{
    const char *begin = s->p, *end = s->p;
    struct slice at = *s, name, value;

    while (take_param(&at, &name, &value)) {
        end = at.p;
        *s = at;
        skip_blanks(&at);
        if (at.n == 0 || *at.p != ',')
            break;
        skip_separators(&at);
    }
    return (struct slice){begin, (size_t)(end - begin)};
}

bool challenge_next(struct slice *rest, struct challenge *out)
{
    *out = (struct challenge){{NULL, 0}, {NULL, 0}, {NULL, 0}};
    skip_separators(rest);
    out->scheme = take_token(rest);
    if (out->scheme.n == 0)
        return false;
    size_t before = rest->n;
    skip_blanks(rest);
    if (rest->n == before || rest->n == 0 || *rest->p == ',')
        return true;
    out->token = take_token68(rest);
    if (out->token.n == 0)
        out->params = take_params(rest);
    skip_blanks(rest);
    if (rest->n > 0 && *rest->p != ',')
        rest->n = 0; /* the rest cannot be read */
    return true;
}

bool challenge_is(const struct challenge *c, const char *scheme)
{
    return slice_eq_nocase(c->scheme, slice_of(scheme));
}

bool challenge_param(const struct challenge *c, const char *wanted, struct buf *out)
{
    struct slice rest = c->params, name, value;

    while (take_param(&rest, &name, &value)) {
        skip_separators(&rest);
        if (!slice_eq_nocase(name, slice_of(wanted)))
            continue;
        bool quoted = *value.p == '"';
        for (size_t i = quoted ? 1 : 0; i < value.n - (quoted ? 1 : 0); i++) {
            if (quoted && value.p[i] == '\\')
                i++;
            buf_add(out, &value.p[i], 1);
        }
        return true;
    }
    return false;
}
