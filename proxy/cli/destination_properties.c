#include <stdlib.h>
#include <string.h>

#include "cli/destination_parts.h"
#include "http/chars.h"

/* The form is that of java.util.Properties; its documentation is the reference. */

struct cursor {
    struct slice rest;
    int line; /* line of the first byte of rest */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\f';
}

static bool is_end(char c)
{
    return c == '\n' || c == '\r';
}

static void drop(struct slice *s, size_t n)
{
    s->p += n;
    s->n -= n;
}

static void skip_blanks(struct slice *s)
{
    while (s->n > 0 && is_blank(*s->p))
        drop(s, 1);
}

/* Skips CR, LF or CR LF. */
static void skip_end(struct cursor *c)
{
    if (c->rest.n == 0)
        return;
    drop(&c->rest, c->rest.n > 1 && c->rest.p[0] == '\r' && c->rest.p[1] == '\n' ? 2 : 1);
    c->line++;
}

static struct slice natural_line(struct cursor *c)
{
    struct slice line = {c->rest.p, 0};

    while (line.n < c->rest.n && !is_end(line.p[line.n]))
        line.n++;
    drop(&c->rest, line.n);
    skip_end(c);
    return line;
}

/* An odd number of backslashes at the end escapes the end of the line. */
static bool is_continued(struct slice line)
{
    size_t n = 0;

    while (n < line.n && line.p[line.n - 1 - n] == '\\')
        n++;
    return n % 2 == 1;
}

/* Joins the next line that is not empty with the lines that continue it. *number: that of the
 * first. */
static bool logical_line(struct cursor *c, struct buf *out, int *number)
{
    struct slice line;

    out->n = 0;
    for (skip_blanks(&c->rest); c->rest.n > 0 && is_end(*c->rest.p); skip_blanks(&c->rest))
        skip_end(c);
    if (c->rest.n == 0)
        return false;
    *number = c->line;
    bool comment = *c->rest.p == '#' || *c->rest.p == '!';
    while (line = natural_line(c), !comment && is_continued(line)) {
        buf_add(out, line.p, line.n - 1);
        skip_blanks(&c->rest);
    }
    buf_add_slice(out, line);
    return true;
}

/* ---- escapes ---- */

static bool hex4(struct slice s, unsigned *out)
{
    *out = 0;
    for (size_t i = 0; i < 4; i++) {
        if (i >= s.n || char_hex(s.p[i]) < 0)
            return false;
        *out = *out << 4 | (unsigned)char_hex(s.p[i]);
    }
    return true;
}

static void add_utf8(struct buf *out, unsigned code)
{
    char b[4];
    size_t n = 0;

    if (code < 0x80) {
        b[n++] = (char)code;
    } else if (code < 0x800) {
        b[n++] = (char)(0xc0 | code >> 6);
    } else if (code < 0x10000) {
        b[n++] = (char)(0xe0 | code >> 12);
        b[n++] = (char)(0x80 | (code >> 6 & 0x3f));
    } else {
        b[n++] = (char)(0xf0 | code >> 18);
        b[n++] = (char)(0x80 | (code >> 12 & 0x3f));
        b[n++] = (char)(0x80 | (code >> 6 & 0x3f));
    }
    if (code >= 0x80)
        b[n++] = (char)(0x80 | (code & 0x3f));
    buf_add(out, b, n);
}

/* Reads the digits after \u. A character above U+FFFF consists of two such codes. */
static const char *unescape_code(struct slice *s, struct buf *out)
{
    unsigned code, low;

    if (!hex4(*s, &code))
        return "\\u lacks its four hexadecimal digits; write as in \\u00e4";
    drop(s, 4);
    if (code >= 0xd800 && code <= 0xdbff && s->n >= 6 && s->p[0] == '\\' && s->p[1] == 'u' &&
        hex4((struct slice){s->p + 2, s->n - 2}, &low) && low >= 0xdc00 && low <= 0xdfff) {
        drop(s, 6);
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    if (code >= 0xd800 && code <= 0xdfff)
        return "\\u names half a character (a surrogate); write both halves";
    add_utf8(out, code);
    return NULL;
}

/* Returns what is wrong with s; NULL: nothing. */
static const char *unescape(struct slice s, struct buf *out)
{
    static const char from[] = "tnrf", to[] = "\t\n\r\f";
    const char *flaw = NULL;

    out->n = 0;
    while (s.n > 0 && flaw == NULL) {
        char c = *s.p;
        drop(&s, 1);
        if (c == '\\' && s.n > 0) {
            c = *s.p;
            drop(&s, 1);
            const char *found = c == '\0' ? NULL : strchr(from, c);
            if (c == 'u') {
                flaw = unescape_code(&s, out);
                continue;
            }
            c = found == NULL ? c : to[found - from];
        } else if (c == '\\') {
            break; /* the end of the file was escaped */
        }
        buf_add(out, &c, 1);
    }
    return flaw;
}

/* ---- pairs ---- */

static bool separates(char c)
{
    return c == '=' || c == ':' || is_blank(c);
}

static struct slice split_key(struct slice *line)
{
    struct slice key = {line->p, 0};

    while (key.n < line->n && !separates(line->p[key.n]))
        key.n += key.p[key.n] == '\\' && key.n + 1 < line->n ? 2 : 1;
    drop(line, key.n);
    skip_blanks(line);
    if (line->n > 0 && (*line->p == '=' || *line->p == ':'))
        drop(line, 1);
    skip_blanks(line);
    return key;
}

static enum status read_pair(struct slice line, int number, struct tree *map,
                             const struct source *s)
{
    struct buf key = {0}, value = {0};
    enum status st;
    struct slice raw_key = split_key(&line);
    const char *flaw = unescape(raw_key, &key);

    if (flaw == NULL)
        flaw = unescape(line, &value);
    if (flaw == NULL && key.n == 0)
        flaw = "a name is missing before `=`; write NAME=VALUE";
    if (flaw != NULL)
        st = source_refuse(s, number, "%s", flaw);
    else
        st = tree_add_text(map, buf_slice(&key), buf_slice(&value), number, s);
    buf_free(&key);
    if (value.p != NULL)
        explicit_bzero(value.p, value.cap);
    buf_free(&value);
    return st;
}

/* Reads a comment like "#KeyStorePassword=<< Existing password/certificate removed on export
 * >>". */
static enum status read_comment(struct slice line, int number, struct tree *map,
                                const struct source *s)
{
    drop(&line, 1);
    struct slice key = slice_trim(slice_split(&line, '='));
    if (line.n < 3 || memcmp(line.p, "<< ", 3) != 0 || !tree_key_is_secret(key))
        return ST_OK;
    return tree_add_text(map, key, SLICE(""), number, s);
}

enum status destination_read_properties(const struct source *s, struct tree **out)
{
    struct cursor c = {s->text, 1};
    struct buf line = {0};
    enum status st = ST_OK;
    int number;

    *out = tree_new(TREE_MAP, 1);
    while (st == ST_OK && logical_line(&c, &line, &number)) {
        if (line.n == 0)
            continue; /* only a backslash */
        bool comment = *line.p == '#' || *line.p == '!';
        st = (comment ? read_comment : read_pair)(buf_slice(&line), number, *out, s);
    }
    if (line.p != NULL)
        explicit_bzero(line.p, line.cap);
    buf_free(&line);
    if (st != ST_OK) {
        tree_free(*out);
        *out = NULL;
    }
    return st;
}
