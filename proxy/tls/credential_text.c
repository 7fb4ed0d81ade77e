#include <string.h>

#include "tls/credential_parts.h"

static const char begin[] = "-----BEGIN ", end[] = "-----END ";

static bool starts(struct slice s, const char *with, size_t n)
{
    return s.n >= n && memcmp(s.p, with, n) == 0;
}

static bool has(struct slice s, const char *what)
{
    return s.n > 0 && memmem(s.p, s.n, what, strlen(what)) != NULL;
}

/* ---- lines ---- */

struct text {
    struct slice rest;
    bool written_out; /* "\\n" ends a line too */
    const char *mark; /* the next character that can end a line, or the end */
};

static const char *end_of(struct slice s)
{
    return s.p + s.n;
}

/* Finds the next line end that is written out. t->mark keeps it, so each byte is searched only
 * once. */
static void find_mark(struct text *t)
{
    if (t->mark != NULL && t->mark >= t->rest.p)
        return;
    t->mark = t->written_out ? memmem(t->rest.p, t->rest.n, "\\n", 2) : NULL;
    if (t->mark == NULL)
        t->mark = end_of(t->rest);
}

/* Returns the next line, without blanks around it. */
static struct slice next_line(struct text *t)
{
    find_mark(t);
    const char *from = t->rest.p, *stop = end_of(t->rest);
    const char *feed = memchr(from, '\n', (size_t)(t->mark - from));
    const char *at = feed != NULL ? feed : t->mark;
    const char *next = at == stop ? stop : at + (feed != NULL ? 1 : 2);
    struct slice line = {from, (size_t)(at - from)};

    t->rest = (struct slice){next, (size_t)(stop - next)};
    if (t->written_out && line.n >= 2 && memcmp(line.p + line.n - 2, "\\r", 2) == 0)
        line.n -= 2;
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    return slice_trim(line);
}

/* Removes the quotes around a text that was quoted as a whole: from its first and last line. */
static struct slice without_quotes(struct slice line)
{
    if (line.n > 1 && (*line.p == '"' || *line.p == '\'') &&
        starts((struct slice){line.p + 1, line.n - 1}, begin, sizeof(begin) - 1))
        line = (struct slice){line.p + 1, line.n - 1};
    if (starts(line, end, sizeof(end) - 1) &&
        (line.p[line.n - 1] == '"' || line.p[line.n - 1] == '\''))
        line.n--;
    return line;
}

/* Does a block begin in this line, after other text? A mention of BEGIN in other text does not
 * count. */
static bool begins_late(struct slice line)
{
    const char *at = line.n == 0 ? NULL : memmem(line.p, line.n, begin, sizeof(begin) - 1);

    return at != NULL && at > line.p && slice_ends_nocase(line, SLICE("-----"));
}

struct block {
    bool inside;  /* after BEGIN */
    bool header;  /* the last line belongs to a header (RFC 1421) */
    bool pending; /* an empty line has come after the header */
};

static void add_line(struct buf *out, struct slice line)
{
    buf_add_slice(out, line);
    buf_add(out, "\n", 1);
}

/* Of the empty lines in a block only the one after a header is kept. */
static void write_line(struct block *b, struct slice line, struct buf *out)
{
    bool header = b->inside && memchr(line.p, ':', line.n) != NULL;

    if (b->inside && line.n == 0) {
        b->pending = b->pending || b->header;
        return;
    }
    if (b->pending && !header && !starts(line, end, sizeof(end) - 1))
        buf_add(out, "\n", 1);
    b->pending = false;
    b->header = header;
    if (starts(line, begin, sizeof(begin) - 1))
        b->inside = true;
    else if (starts(line, end, sizeof(end) - 1))
        b->inside = false;
    add_line(out, line);
}

/* ---- the whole ---- */

bool credential_is_json(struct slice text)
{
    while (text.n > 0 && (*text.p == '\n' || *text.p == '\r' || *text.p == ' ' || *text.p == '\t'))
        text = (struct slice){text.p + 1, text.n - 1};
    return text.n > 0 && (*text.p == '{' || *text.p == '[');
}

enum status credential_refuse_json(const char *path, struct diag *why)
{
    diag_at(
        why, path,
        "is JSON; write the certificate and the key that it holds into a file of their own: "
        "jq -r '.certificate, .key' %s (or .Content, for what BTP's Destination service answers)",
        path);
    return ST_BAD_INPUT;
}

enum status credential_clean_text(const char *path, struct slice text, struct buf *out,
                                  struct diag *why)
{
    struct text t = {text, has(text, "-----\\n") || has(text, "-----\\r\\n"), NULL};
    struct block block = {false, false, false};
    bool found = false, late = false;

    buf_reserve(out, text.n + 2); /* it grows by at most one line end */
    while (t.rest.n > 0) {
        struct slice line = without_quotes(next_line(&t));
        late = late || begins_late(line);
        found = found || starts(line, begin, sizeof(begin) - 1);
        write_line(&block, line, out);
    }
    if (found && !late)
        return ST_OK;
    if (credential_is_json(text))
        return credential_refuse_json(path, why);
    diag_at(why, path,
            "the PEM in it is within other text; write it alone into the file, each line of it "
            "at the margin, from -----BEGIN to -----END");
    return ST_BAD_INPUT;
}
