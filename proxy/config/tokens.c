#include "config/tokens.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "tls/secret.h"

struct tokens {
    size_t count;
    /* padded with zeros, so that all comparisons take the same time */
    char tokens[TOKENS_MAX][TOKEN_MAX];
};

static bool is_visible(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] >= 0x7f)
            return false;
    return true;
}

static enum status add(struct tokens *t, const char *path, struct slice token, int line,
                       struct diag *why)
{
    const char *flaw = NULL;

    if (!is_visible(token))
        flaw = "has a blank or another character in it that is not visible ASCII";
    else if (token.n < TOKEN_MIN)
        flaw = "has less than 16 characters, so it could be guessed";
    else if (token.n > TOKEN_MAX)
        flaw = "has more than 512 characters";
    else if (t->count == TOKENS_MAX)
        flaw = "is the 65th, and there may be 64";
    if (flaw != NULL) {
        diag_at_line(why, path, line,
                     "the token %s; write one token on each line, as `openssl rand -hex 32` "
                     "makes them",
                     flaw);
        return ST_BAD_INPUT;
    }
    memcpy(t->tokens[t->count++], token.p, token.n);
    return ST_OK;
}

static enum status read_lines(struct tokens *t, const char *path, struct slice text,
                              struct diag *why)
{
    int line = 0;

    utf8_skip_mark(&text);
    if (utf8_is_16(text)) {
        diag_at(why, path, "is UTF-16 text; save it as UTF-8");
        return ST_BAD_INPUT;
    }
    while (text.n > 0) {
        struct slice rest = slice_split(&text, '\n');
        line++;
        if (rest.n > 0 && rest.p[rest.n - 1] == '\r')
            rest.n--;
        rest = slice_trim(rest);
        if (rest.n == 0 || rest.p[0] == '#')
            continue;
        enum status st = add(t, path, rest, line, why);
        if (st != ST_OK)
            return st;
    }
    if (t->count > 0)
        return ST_OK;
    diag_at(why, path,
            "holds no token, so every call would be refused; add one with `openssl rand -hex 32`");
    return ST_BAD_INPUT;
}

enum status tokens_load(const char *path, struct tokens **out, struct diag *why)
{
    struct buf text = {0};
    enum status st = file_read(path, &text, why);

    if (st != ST_OK)
        return st;
    struct tokens *t = NEW(struct tokens);
    st = read_lines(t, path, buf_slice(&text), why);
    file_wipe(&text);
    if (st == ST_OK)
        *out = t;
    else
        tokens_free(t);
    return st;
}

void tokens_free(struct tokens *t)
{
    if (t == NULL)
        return;
    secret_wipe(t, sizeof(*t));
    free(t);
}

struct slice tokens_first(const struct tokens *t)
{
    return (struct slice){t->tokens[0], strnlen(t->tokens[0], TOKEN_MAX)};
}

bool tokens_have(const struct tokens *t, struct slice said)
{
    char padded[TOKEN_MAX] = {0};
    bool found = false;

    if (said.n < TOKEN_MIN || said.n > TOKEN_MAX)
        return false;
    memcpy(padded, said.p, said.n);
    for (size_t i = 0; i < t->count; i++)
        if (secret_equal(t->tokens[i], padded, TOKEN_MAX))
            found = true;
    secret_wipe(padded, sizeof(padded));
    return found;
}
