#include "config/reader.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <ini.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/utf8.h"

#ifdef HAVE_INIH_RUNTIME_LIMITS
enum { MAX_LINE = 8192 };
#else
enum { MAX_LINE = 197 }; /* INI_MAX_LINE as inih was built, without CR, LF and NUL */
#endif

size_t reader_longest_line(void)
{
    return MAX_LINE;
}

struct reader {
    const char *path;
    const struct reader_sink *sink;
    void *ctx;
    struct slice rest;
    int line;
    enum status status;
    struct diag *why;
};

static void refuse(struct reader *r, const char *sentence)
{
    r->status = ST_BAD_INPUT;
    diag_set(r->why, "%s", sentence);
}

/* Accepts "[name]" with only a comment after it; cuts the name out of the line. */
static void read_section(struct reader *r, struct slice line)
{
    const char *close = memchr(line.p, ']', line.n);
    if (close == NULL) {
        refuse(r, "the section header has no closing bracket; write [proxy] or [tenant NAME]");
        return;
    }
    struct slice behind = {close + 1, line.n - (size_t)(close + 1 - line.p)};
    behind = slice_trim(behind);
    if (behind.n > 0 && *behind.p != ';' && *behind.p != '#') {
        refuse(r, "there is text after the section header; put it on a line of its own");
        return;
    }
    char *name = mem_copy_bytes(line.p + 1, (size_t)(close - line.p - 1));
    r->status = r->sink->on_section(r->ctx, name, r->line, r->why);
    free(name);
}

static void check_line(struct reader *r, struct slice line)
{
    if (line.n > MAX_LINE) {
        char sentence[128];
        (void)snprintf(sentence, sizeof(sentence),
                       "the line is longer than %d characters; shorten it", MAX_LINE);
        refuse(r, sentence);
    } else if (memchr(line.p, '\0', line.n) != NULL) {
        refuse(r, "the line holds a NUL byte; this is not a text file");
    } else if (line.n > 0 && isspace((unsigned char)line.p[0]) && slice_trim(line).n > 0 &&
               line.p[0] != '\r') {
        refuse(r, "the line is indented; begin it at the margin");
    } else if (line.n > 0 && line.p[0] == '[') {
        read_section(r, line);
    }
}

/* inih calls this to get a line, like fgets(). */
static char *next_line(char *out, int size, void *stream)
{
    struct reader *r = stream;

    if (r->rest.n == 0 || r->status != ST_OK)
        return NULL;
    r->line++;
    struct slice line = slice_split(&r->rest, '\n');
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    check_line(r, line);
    if (r->status != ST_OK || (int)line.n + 2 > size)
        return NULL;
    memcpy(out, line.p, line.n);
    memcpy(out + line.n, "\n", 2);
    return out;
}

/* inih calls this for each pair, which is in the current line. */
static int on_pair(void *user, const char *section, const char *name, const char *value)
{
    struct reader *r = user;

    (void)section; /* on_section() has passed it on; inih would cut it to 49 characters */
    if (r->status == ST_OK)
        r->status = r->sink->on_setting(r->ctx, name, value == NULL ? "" : value, r->line, r->why);
    return r->status == ST_OK;
}

enum status reader_run(const char *path, const struct reader_sink *sink, void *ctx,
                       struct diag *why)
{
    struct buf text = {0};
    enum status st = file_read(path, &text, why);

    if (st != ST_OK)
        return st;
#ifdef HAVE_INIH_RUNTIME_LIMITS
    ini_use_stack = false;
    ini_max_line = ini_initial_alloc = MAX_LINE + 3;
#endif
    struct reader r = {
        .path = path, .sink = sink, .ctx = ctx, .rest = buf_slice(&text), .why = why};
    utf8_skip_mark(&r.rest);
    if (utf8_is_16(r.rest)) {
        r.line = 1;
        refuse(&r, "this is UTF-16 text; save the file as UTF-8");
    }
    int bad_line = r.status != ST_OK ? 0 : ini_parse_stream(next_line, &r, on_pair, &r);
    if (r.status == ST_OK && bad_line != 0) {
        r.line = bad_line;
        refuse(&r, "the line is neither a [section], nor `key = value`, nor a comment");
    }
    if (r.status != ST_OK)
        diag_place_line(why, path, r.line);
    file_wipe(&text);
    return r.status;
}
