#include "http/rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "http/chars.h"

struct rule {
    char *methods;      /* "GET|POST", or "*" */
    struct buf pattern; /* as paths are compared: see next_unit() */
    bool any_rest;      /* it ended in '*', which is cut off */
};

struct rules {
    struct rule *rules;
    size_t count;
};

/* ---- paths as they are compared ---- */

/* One character, or one percent-encoded byte that stays encoded, in upper case. */
struct unit {
    char text[3];
    size_t n;
};

static bool is_unreserved(char c)
{
    return char_is(c, CHAR_HOST) || c == '~';
}

static bool is_encoded(struct slice s, size_t i)
{
    return s.n - i > 2 && s.p[i] == '%' && char_hex(s.p[i + 1]) >= 0 && char_hex(s.p[i + 2]) >= 0;
}

static char decoded(struct slice s, size_t i)
{
    return (char)(char_hex(s.p[i + 1]) * 16 + char_hex(s.p[i + 2]));
}

/* The unit that begins at *i, which is moved behind it. */
static struct unit next_unit(struct slice s, size_t *i)
{
    static const char hex[] = "0123456789ABCDEF";
    bool encoded = is_encoded(s, *i);
    unsigned char c = (unsigned char)(encoded ? decoded(s, *i) : s.p[*i]);

    *i += encoded ? 3 : 1;
    if (encoded ? is_unreserved((char)c) : !char_is((char)c, CHAR_ENCODE))
        return (struct unit){{(char)c}, 1};
    return (struct unit){{'%', hex[c >> 4], hex[c & 15]}, 3};
}

/* Where the unit begins that ends before end: in a sound path a '%' is followed by two digits. */
static size_t unit_before(struct slice s, size_t from, size_t end)
{
    return end - from > 2 && s.p[end - 3] == '%' ? end - 3 : end - 1;
}

/* ---- traps ---- */

static const char trap_encoding[] = "a '%' without two hexadecimal digits behind it";
static const char trap_character[] =
    "one of . / \\ ;, a control character or no UTF-8 percent-encoded";
static const char trap_twice[] = "something that is percent-encoded twice";
static const char trap_parameter[] = "a ';'";
static const char trap_empty[] = "an empty segment (//)";
static const char trap_dots[] = "a segment . or ..";

/* A hexadecimal digit, itself encoded or not; *i is moved behind it. */
static bool is_digit_unit(struct slice s, size_t *i)
{
    if (*i >= s.n)
        return false;
    bool encoded = is_encoded(s, *i);
    char c = encoded ? decoded(s, *i) : s.p[*i];
    *i += encoded ? 3 : 1;
    return char_hex(c) >= 0;
}

/* Bytes that no UTF-8 holds (RFC 3629, 4), such as those of an overlong '.'. */
static bool is_no_utf8(unsigned char c)
{
    return c == 0xc0 || c == 0xc1 || c > 0xf4;
}

static const char *find_encoded_trap(struct slice path)
{
    for (size_t i = 0; i < path.n; i++) {
        if (path.p[i] == ';')
            return trap_parameter;
        if (path.p[i] != '%')
            continue;
        if (!is_encoded(path, i))
            return trap_encoding;
        char c = decoded(path, i);
        if ((unsigned char)c < ' ' || c == 0x7f || strchr("./\\;", c) != NULL ||
            is_no_utf8((unsigned char)c))
            return trap_character;
        size_t behind = i + 3;
        if (c == '%' && is_digit_unit(path, &behind) && is_digit_unit(path, &behind))
            return trap_twice;
    }
    return NULL;
}

/* Cuts the next segment off; false behind the last. */
static bool next_segment(struct slice *rest, struct slice *segment)
{
    if (rest->p == NULL)
        return false;
    const char *slash = rest->n == 0 ? NULL : memchr(rest->p, '/', rest->n);
    *segment = *rest;
    if (slash == NULL) {
        *rest = (struct slice){NULL, 0};
        return true;
    }
    segment->n = (size_t)(slash - rest->p);
    *rest = (struct slice){slash + 1, rest->n - segment->n - 1};
    return true;
}

static const char *find_segment_trap(struct slice path)
{
    struct slice segment;
    bool first = true;

    while (next_segment(&path, &segment)) {
        if (segment.n == 0 && !first && path.p != NULL)
            return trap_empty;
        if (slice_eq(segment, SLICE(".")) || slice_eq(segment, SLICE("..")))
            return trap_dots;
        first = false;
    }
    return NULL;
}

/* What a server may understand otherwise than it is compared here; NULL: nothing. */
static const char *find_trap(struct slice path)
{
    const char *trap = find_encoded_trap(path);

    return trap == NULL ? find_segment_trap(path) : trap;
}

/* ---- $batch ---- */

static bool reads_batch(struct slice segment)
{
    const char *want = "$batch";
    size_t i = 0;

    for (; *want != '\0' && i < segment.n; want++) {
        bool encoded = is_encoded(segment, i);
        if (ascii_lower(encoded ? decoded(segment, i) : segment.p[i]) != *want)
            return false;
        i += encoded ? 3 : 1;
    }
    if (*want != '\0' || i == segment.n)
        return *want == '\0';
    char next = is_encoded(segment, i) ? decoded(segment, i) : segment.p[i];
    return !char_is(next, CHAR_HOST) || next == '.'; /* $batch(), "$batch " and the like */
}

static bool holds_batch(struct slice path)
{
    struct slice segment;

    while (next_segment(&path, &segment))
        if (reads_batch(segment))
            return true;
    return false;
}

/* ---- matching ---- */

/* Does the path begin at *i with that text? *i is moved behind it. */
static bool begins(struct slice path, size_t *i, struct slice text)
{
    while (text.n > 0) {
        if (*i >= path.n)
            return false;
        struct unit u = next_unit(path, i);
        if (u.n > text.n || memcmp(u.text, text.p, u.n) != 0)
            return false;
        text = (struct slice){text.p + u.n, text.n - u.n};
    }
    return true;
}

/* Does what stands from `from` on end with that text? */
static bool ends(struct slice path, size_t from, struct slice text)
{
    size_t end = path.n;

    while (text.n > 0) {
        if (end <= from)
            return false;
        size_t i = end = unit_before(path, from, end);
        struct unit u = next_unit(path, &i);
        if (u.n > text.n || memcmp(u.text, text.p + text.n - u.n, u.n) != 0)
            return false;
        text.n -= u.n;
    }
    return true;
}

static bool fits_segment(struct slice pattern, struct slice segment)
{
    struct slice tail = pattern, head = slice_split(&tail, '*');
    bool star = head.n < pattern.n;
    size_t i = 0;

    if (!begins(segment, &i, head))
        return false;
    return star ? ends(segment, i, tail) && !reads_batch(segment) : i == segment.n;
}

static bool fits(const struct rule *r, struct slice path)
{
    struct slice pattern = {r->pattern.n == 0 ? "" : r->pattern.p, r->pattern.n}, wanted, segment;
    size_t i = 0;

    while (next_segment(&pattern, &wanted)) {
        if (r->any_rest && pattern.p == NULL)
            return path.p != NULL && begins(path, &i, wanted) && !holds_batch(path);
        if (!next_segment(&path, &segment) || !fits_segment(wanted, segment))
            return false;
    }
    return path.p == NULL;
}

static bool covers_method(const struct rule *r, struct slice method)
{
    struct slice rest = slice_of(r->methods);

    if (slice_eq(rest, SLICE("*")))
        return true;
    while (rest.n > 0) {
        struct slice covered = slice_split(&rest, '|');
        if (slice_eq(covered, method) ||
            (slice_eq(covered, SLICE("GET")) && slice_eq(method, SLICE("HEAD"))))
            return true;
    }
    return false;
}

static bool covers(const struct rules *r, struct slice method, struct slice path)
{
    for (size_t i = 0; i < r->count; i++)
        if (covers_method(&r->rules[i], method) && fits(&r->rules[i], path))
            return true;
    return false;
}

/* The path as target_write_path() writes it, without the query. */
static struct slice path_of(const struct head *h, const struct target *t)
{
    struct slice query = t->path, path = slice_split(&query, '?');

    if (path.n > 0)
        return path;
    return t->path.n == 0 && h->method == METHOD_OPTIONS ? SLICE("*") : SLICE("/");
}

bool rules_cover(const struct rules *r, const struct head *request, const struct target *t,
                 struct failure *why)
{
    struct slice path = path_of(request, t);
    const char *trap = find_trap(path);
    const struct field *f;
    size_t at = 0;

    if (trap != NULL) {
        failure_set(why, FAIL_PATH_AMBIGUOUS, "The path holds %s.", trap);
        return false;
    }
    if (!covers(r, request->method_name, path)) {
        failure_set(why, FAIL_NOT_ALLOWED,
                    "No `allow` rule of the tenant covers %.*s with this "
                    "path%s.",
                    (int)request->method_name.n, request->method_name.p,
                    holds_batch(path) ? "; $batch has to be named by a rule of its own" : "");
        return false;
    }
    while ((f = head_next(request, FIELD_METHOD_OVERRIDE, &at)) != NULL) {
        if (covers(r, f->value, path))
            continue;
        failure_set(why, FAIL_NOT_ALLOWED,
                    "No `allow` rule of the tenant covers the method that "
                    "%.*s names with this path.",
                    (int)f->name.n, f->name.p);
        return false;
    }
    return true;
}

/* ---- reading ---- */

static const char *method_flaw(struct slice methods)
{
    bool more;

    if (slice_eq(methods, SLICE("*")))
        return NULL;
    do {
        more = memchr(methods.p, '|', methods.n) != NULL;
        struct slice name = slice_split(&methods, '|');
        if (name.n == 0)
            return "lacks a method beside `|`";
        if (slice_eq(name, SLICE("CONNECT")) || slice_eq(name, SLICE("TRACE")))
            return "names a method that no rule decides about; take it out";
        for (size_t i = 0; i < name.n; i++)
            if ((name.p[i] < 'A' || name.p[i] > 'Z') && name.p[i] != '-')
                return "begins with something other than methods in capital letters";
    } while (more);
    return NULL;
}

static bool has_two_stars(struct slice pattern)
{
    struct slice segment;

    while (next_segment(&pattern, &segment)) {
        const char *star = segment.n == 0 ? NULL : memchr(segment.p, '*', segment.n);
        if (star != NULL && memchr(star + 1, '*', (size_t)(segment.p + segment.n - star - 1)))
            return true;
    }
    return false;
}

/* Sets *why to a flaw of the pattern; false if there is none. */
static bool has_pattern_flaw(struct slice text, struct slice pattern, struct diag *why)
{
    const char *trap = find_trap(pattern), *flaw = NULL;

    if (pattern.n == 0)
        flaw = "has no path behind the method";
    else if (pattern.p[0] != '/' && !slice_eq(pattern, SLICE("*")))
        flaw = "has a path that does not begin with '/'";
    else if (memchr(pattern.p, ' ', pattern.n) != NULL)
        flaw = "has a blank in its path (a comma inside parentheses separates no rules)";
    else if (memchr(pattern.p, '?', pattern.n) != NULL)
        flaw = "has a query, which is not looked at; end it before the '?'";
    else if (!chars_are(pattern, CHAR_TARGET | CHAR_ENCODE))
        flaw = "has a character that no path holds; percent-encode it";
    else if (has_two_stars(pattern))
        flaw = "has two `*` in one segment of its path, where one is served";
    else if (trap == NULL)
        return false;
    if (flaw != NULL)
        diag_set(why, "`%.*s` %s; write METHOD PATH, such as GET /odata/v2/*", (int)text.n, text.p,
                 flaw);
    else
        diag_set(why,
                 "`%.*s` holds %s, which no path may where rules stand; write the path "
                 "without",
                 (int)text.n, text.p, trap);
    return true;
}

static void add(struct rules *r, struct slice methods, struct slice pattern)
{
    r->rules = mem_grow(r->rules, (r->count + 1) * sizeof(r->rules[0]));
    struct rule *new = &r->rules[r->count++];

    *new = (struct rule){.methods = mem_copy_bytes(methods.p, methods.n),
                         .any_rest = pattern.p[pattern.n - 1] == '*'};
    if (new->any_rest)
        pattern.n--;
    for (size_t i = 0; i < pattern.n;) {
        struct unit u = next_unit(pattern, &i);
        buf_add(&new->pattern, u.text, u.n);
    }
}

static enum status read_rule(struct rules *r, struct slice text, struct diag *why)
{
    struct slice pattern = text, methods = slice_split(&pattern, ' ');

    pattern = slice_trim(pattern);
    const char *flaw = methods.n == 0 ? "has no rule between two commas" : method_flaw(methods);
    if (flaw != NULL) {
        diag_set(why, "`%.*s` %s; write METHOD PATH, such as GET /odata/v2/*", (int)text.n, text.p,
                 flaw);
        return ST_BAD_INPUT;
    }
    if (has_pattern_flaw(text, pattern, why))
        return ST_BAD_INPUT;
    add(r, methods, pattern);
    return ST_OK;
}

/* Cuts what stands before the next comma outside of parentheses off. */
static struct slice next_rule(struct slice *text)
{
    size_t i = 0;
    int depth = 0;

    for (; i < text->n && (text->p[i] != ',' || depth > 0); i++)
        depth += text->p[i] == '(' ? 1 : text->p[i] == ')' && depth > 0 ? -1 : 0;
    struct slice rule = {text->p, i};
    *text =
        i < text->n ? (struct slice){text->p + i + 1, text->n - i - 1} : (struct slice){NULL, 0};
    return slice_trim(rule);
}

enum status rules_add(struct rules **rules, struct slice text, struct diag *why)
{
    if (*rules == NULL)
        *rules = NEW(struct rules);
    while (text.p != NULL) {
        enum status st = read_rule(*rules, next_rule(&text), why);
        if (st != ST_OK)
            return st;
    }
    return ST_OK;
}

void rules_free(struct rules *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->count; i++) {
        free(r->rules[i].methods);
        buf_free(&r->rules[i].pattern);
    }
    free(r->rules);
    free(r);
}
