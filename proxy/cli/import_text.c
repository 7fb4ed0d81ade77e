#include "cli/import_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "config/reader.h"
#include "http/chars.h"

enum { COLUMNS = 100 };

static bool is_visible(struct slice s)
{
    for (size_t i = 0, n; i < s.n; i += n) {
        n = utf8_visible(s.p + i, s.n - i);
        if (n == 0)
            return false;
    }
    return true;
}

/* A ';' after a blank begins a comment. */
static bool holds_comment(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == ';' && (i == 0 || s.p[i - 1] == ' ' || s.p[i - 1] == '\t'))
            return true;
    return false;
}

const char *import_text_flaw(const char *key, const char *value)
{
    struct slice k = slice_of(key), v = slice_of(value);

    if (v.n == 0)
        return "is empty";
    if (!is_visible(k) || !is_visible(v))
        return "holds a line break, another character that cannot be seen, or bytes that are not "
               "UTF-8";
    if (slice_trim(v).n != v.n)
        return "begins or ends with a blank";
    if (holds_comment(v))
        return "holds a `;` that would begin a comment";
    if (k.n + strlen(" = ") + v.n > reader_longest_line())
        return "is longer than a line may be";
    return NULL;
}

/* ---- comments ---- */

static void make_visible(char *text)
{
    for (size_t left = strlen(text), n; left > 0; text += n, left -= n) {
        n = utf8_visible(text, left);
        if (n == 0)
            *text = '?', n = 1;
    }
}

/* The number of bytes, at most n, at the front of s that are complete characters. */
static size_t whole_characters(struct slice s, size_t n)
{
    size_t at = 0;

    while (at < s.n) {
        size_t one = utf8_visible(s.p + at, s.n - at);
        if (at + one > n)
            break;
        at += one;
    }
    return at;
}

static void wrap(struct buf *out, struct slice text)
{
    size_t used = COLUMNS; /* in the current line */

    while (text.n > 0) {
        struct slice word = slice_split(&text, ' ');
        while (word.n > 0) {
            if (used + 1 + word.n > COLUMNS && used > 1) {
                buf_add_string(out, used == COLUMNS && out->n == 0 ? ";" : "\n;");
                used = 1;
            }
            size_t n = whole_characters(word, COLUMNS - used - 1);
            buf_add_string(out, " ");
            buf_add(out, word.p, n);
            used += 1 + n;
            word = (struct slice){word.p + n, word.n - n};
        }
    }
    buf_add_string(out, "\n");
}

void import_text_comment(struct buf *out, const char *format, ...)
{
    va_list args;
    char *text;
    struct buf lines = {0};

    va_start(args, format);
    int n = vasprintf(&text, format, args);
    va_end(args);
    if (n < 0)
        abort(); /* no memory: see mem.h */
    make_visible(text);
    wrap(&lines, (struct slice){text, (size_t)n});
    buf_add_slice(out, buf_slice(&lines));
    buf_free(&lines);
    free(text);
}

/* ---- names ---- */

void import_text_name(const char *text, unsigned number, char out[IMPORT_NAME_SIZE])
{
    char tail[16] = "";
    size_t n = 0, room = IMPORT_NAME_SIZE - 1;

    if (number > 1)
        (void)snprintf(tail, sizeof(tail), "-%u", number);
    room -= strlen(tail);
    for (; text != NULL && *text != '\0' && n < room; text++) {
        bool fits = char_is(*text, CHAR_HOST);
        if (fits || (n > 0 && out[n - 1] != '-'))
            out[n++] = fits ? *text : '-';
    }
    while (n > 0 && out[n - 1] == '-')
        n--;
    if (n == 0) {
        static const char nameless[] = "imported";
        memcpy(out, nameless, sizeof(nameless));
        n = sizeof(nameless) - 1;
    }
    memcpy(out + n, tail, strlen(tail) + 1);
}
