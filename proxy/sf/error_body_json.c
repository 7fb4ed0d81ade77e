/* Reads error bodies in JSON (RFC 8259). A JSON library would refuse a text that is cut off. */
#include "base/status.h"
#include "sf/error_body_members.h"
#include "sf/error_body_readers.h"

enum { DEPTH_MAX = 32 }; /* objects and arrays inside each other; more are not read */

struct json {
    struct slice in;
    struct error_body *out;
    int depth;
};

static enum error_read read_value(struct json *j, const struct error_member *m);

static void skip(struct json *j, size_t n)
{
    j->in.p += n;
    j->in.n -= n;
}

/* The next character that is not white space; NUL, which JSON does not have, at the end. */
static char next(struct json *j)
{
    while (j->in.n > 0 && error_is_blank(*j->in.p))
        skip(j, 1);
    return j->in.n > 0 ? *j->in.p : '\0';
}

/* The result if the expected character does not come. */
static enum error_read cut_or_bad(const struct json *j)
{
    return j->in.n == 0 ? ERROR_READ_CUT : ERROR_READ_BAD;
}

/* ---- strings ---- */

static enum error_read read_hex(struct json *j, uint32_t *unit)
{
    *unit = 0;
    for (size_t i = 2; i < 6; i++) {
        if (i >= j->in.n)
            return ERROR_READ_CUT;
        char c = j->in.p[i], lower = ascii_lower(c);
        if (c >= '0' && c <= '9')
            *unit = *unit << 4 | (uint32_t)(c - '0');
        else if (lower >= 'a' && lower <= 'f')
            *unit = *unit << 4 | (uint32_t)(lower - 'a' + 10);
        else
            return ERROR_READ_BAD;
    }
    skip(j, 6);
    return ERROR_READ_ALL;
}

/* Reads \uXXXX, or two of them for a character above U+FFFF. */
static enum error_read read_unicode(struct json *j)
{
    uint32_t high, low;
    enum error_read result = read_hex(j, &high);

    if (result != ERROR_READ_ALL)
        return result;
    if (high >= 0xdc00 && high < 0xe000)
        return ERROR_READ_BAD;
    if (high < 0xd800 || high >= 0xe000) {
        error_body_put_code_point(j->out, high);
        return ERROR_READ_ALL;
    }
    if (j->in.n < 2)
        return ERROR_READ_CUT;
    if (j->in.p[0] != '\\' || j->in.p[1] != 'u')
        return ERROR_READ_BAD;
    result = read_hex(j, &low);
    if (result == ERROR_READ_ALL && (low < 0xdc00 || low >= 0xe000))
        return ERROR_READ_BAD;
    if (result == ERROR_READ_ALL)
        error_body_put_code_point(j->out, 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00));
    return result;
}

static enum error_read read_escape(struct json *j)
{
    static const char names[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";

    if (j->in.n < 2)
        return ERROR_READ_CUT;
    if (j->in.p[1] == 'u')
        return read_unicode(j);
    const char *at = memchr(names, j->in.p[1], sizeof(names) - 1);
    if (at == NULL)
        return ERROR_READ_BAD;
    error_body_put(j->out, meant[at - names]);
    skip(j, 2);
    return ERROR_READ_ALL;
}

/* Reads a string after its opening quote, and puts the text into room. */
static enum error_read read_string(struct json *j)
{
    while (j->in.n > 0) {
        char c = *j->in.p;
        if (c == '\\') {
            enum error_read result = read_escape(j);
            if (result != ERROR_READ_ALL)
                return result;
            continue;
        }
        if ((unsigned char)c < ' ')
            return ERROR_READ_BAD;
        skip(j, 1);
        if (c == '"')
            return ERROR_READ_ALL;
        error_body_put(j->out, c);
    }
    return ERROR_READ_CUT;
}

static enum error_read read_text(struct json *j, int place)
{
    size_t start = j->out->used;
    enum error_read result = read_string(j);
    bool counts = result == ERROR_READ_ALL || (result == ERROR_READ_CUT && place != ERROR_CODE);

    error_body_keep(j->out, start, counts ? place : ERROR_PLACES);
    return result;
}

/* ---- values ---- */

/* Reads a name, a colon and a value. */
static enum error_read read_member(struct json *j, enum error_level level)
{
    size_t start = j->out->used;

    if (next(j) != '"')
        return cut_or_bad(j);
    skip(j, 1);
    enum error_read result = read_string(j);
    struct slice name = {j->out->room + start, j->out->used - start};
    const struct error_member *m = error_body_member(level, name);
    j->out->used = start;
    if (result != ERROR_READ_ALL)
        return result;
    if (next(j) != ':')
        return cut_or_bad(j);
    skip(j, 1);
    return error_body_claim(j->out, m) ? read_value(j, m) : ERROR_READ_BAD;
}

/* Reads the members of an object, or the values of an array, which have no place. */
static enum error_read read_items(struct json *j, char close, const struct error_member *m)
{
    static const struct error_member none = {
        ERROR_ELSEWHERE, {"", 0}, ERROR_PLACES, ERROR_ELSEWHERE};

    skip(j, 1);
    if (next(j) == close) {
        skip(j, 1);
        return ERROR_READ_ALL;
    }
    for (;;) {
        enum error_read result = close == '}' ? read_member(j, m->inner) : read_value(j, &none);
        if (result != ERROR_READ_ALL)
            return result;
        char c = next(j);
        if (c != ',' && c != close)
            return cut_or_bad(j);
        skip(j, 1);
        if (c == close)
            return ERROR_READ_ALL;
    }
}

static bool is_scalar_part(char c)
{
    char lower = ascii_lower(c);

    return (c >= '0' && c <= '9') || (lower >= 'a' && lower <= 'z') || c == '-' || c == '+' ||
           c == '.';
}

/* Reads a number, true, false or null. */
static enum error_read read_scalar(struct json *j)
{
    size_t n = 0;

    while (n < j->in.n && is_scalar_part(j->in.p[n]))
        n++;
    struct slice word = {j->in.p, n};
    bool number = n > 0 && (word.p[0] == '-' || (word.p[0] >= '0' && word.p[0] <= '9'));
    if (n == j->in.n)
        return ERROR_READ_CUT;
    if (!number && !slice_eq(word, SLICE("true")) && !slice_eq(word, SLICE("false")) &&
        !slice_eq(word, SLICE("null")))
        return ERROR_READ_BAD;
    skip(j, n);
    return ERROR_READ_ALL;
}

static enum error_read read_value(struct json *j, const struct error_member *m)
{
    enum error_read result;
    char c = next(j);

    if (c == '"') {
        skip(j, 1);
        return read_text(j, m->place);
    }
    if (c != '{' && c != '[')
        return j->in.n == 0 ? ERROR_READ_CUT : read_scalar(j);
    if (++j->depth > DEPTH_MAX)
        return ERROR_READ_BAD;
    result = read_items(j, c == '{' ? '}' : ']', m);
    j->depth--;
    return result;
}

enum error_read error_body_read_json(struct error_body *b, struct slice content)
{
    static const struct error_member top = {ERROR_ELSEWHERE, {"", 0}, ERROR_PLACES, ERROR_AT_TOP};
    struct json j = {.in = content, .out = b};
    enum error_read result = read_value(&j, &top);

    (void)next(&j);
    return result == ERROR_READ_ALL && j.in.n > 0 ? ERROR_READ_BAD : result;
}
