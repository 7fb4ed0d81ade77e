#include "http/rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "http/chars.h"
#include "http/pattern.h"
#include "http/rules_path.h"

struct rule {
    char *methods; /* for example "GET|POST", or "*" */
    struct pattern pattern;
};

struct rules {
    struct rule *rules;
    size_t count;
};

/* ---- matching ---- */

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

static const struct rule *covering(const struct rules *r, struct slice method, struct slice path)
{
    for (size_t i = 0; i < r->count; i++)
        if (covers_method(&r->rules[i], method) && pattern_fits(&r->rules[i].pattern, path))
            return &r->rules[i];
    return NULL;
}

static bool covers(const struct rules *r, struct slice method, struct slice path)
{
    return covering(r, method, path) != NULL;
}

/* The path in the form of target_write_path(), without the query. */
static struct slice path_of(const struct head *h, const struct target *t)
{
    struct slice query = t->path, path = slice_split(&query, '?');

    if (path.n > 0)
        return path;
    return t->path.n == 0 && h->method == METHOD_OPTIONS ? SLICE("*") : SLICE("/");
}

/* Refuses a path that a server could take for another path. */
static bool check_path(const struct head *request, struct slice path, struct failure *why)
{
    const char *flaw = rules_find_flaw(path);
    const struct field *other = head_next(request, FIELD_PATH_OVERRIDE, &(size_t){0});

    if (flaw != NULL) {
        failure_set(why, FAIL_PATH_AMBIGUOUS, "The path holds %s.", flaw);
        return false;
    }
    if (other != NULL) {
        failure_set(why, FAIL_PATH_AMBIGUOUS,
                    "The request has the field %.*s, which some servers take for the path.",
                    (int)other->name.n, other->name.p);
        return false;
    }
    return true;
}

static bool check_override(const struct rules *r, struct slice name, struct slice method,
                           struct slice path, struct failure *why)
{
    if (covers(r, method, path))
        return true;
    failure_set(why, FAIL_NOT_ALLOWED,
                "No `allow` rule of the tenant covers the method that %.*s names with this path.",
                (int)name.n, name.p);
    return false;
}

/* Is it that name, percent-encoded or not, with '-' or '_'? */
static bool is_parameter(struct slice name, const char *known)
{
    size_t i = 0;

    for (; *known != '\0'; known++) {
        if (i >= name.n)
            return false;
        char c = ascii_lower(rules_next_byte(name, &i));
        if (c != *known && !(c == '-' && *known == '_'))
            return false;
    }
    return i == name.n;
}

/* Is it a parameter in which frameworks look for the method, like X-HTTP-Method-Override? */
static bool names_method(struct slice name)
{
    static const char *const known[] = {"_method",          "_httpmethod",
                                        "$method",          "$httpmethod",
                                        "x_http_method",    "x_http_method_override",
                                        "x_method_override"};

    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (is_parameter(name, known[i]))
            return true;
    return false;
}

static bool check_query(const struct rules *r, struct slice query, struct slice path,
                        struct failure *why)
{
    while (query.n > 0) {
        struct slice pairs = slice_split(&query, '&');
        while (pairs.n > 0) { /* some servers also split at ';' */
            struct slice value = slice_split(&pairs, ';'), name = slice_split(&value, '=');
            if (names_method(name) && !check_override(r, name, value, path, why))
                return false;
        }
    }
    return true;
}

bool rules_cover(const struct rules *r, const struct head *request, const struct target *t,
                 struct failure *why)
{
    struct slice path = path_of(request, t), query = t->path;
    const struct field *f;
    size_t at = 0;

    (void)slice_split(&query, '?');
    if (!check_path(request, path, why))
        return false;
    if (!covers(r, request->method_name, path)) {
        failure_set(why, FAIL_NOT_ALLOWED,
                    "No `allow` rule of the tenant covers %.*s with this "
                    "path%s.",
                    (int)request->method_name.n, request->method_name.p,
                    rules_path_has_batch(path) ? "; $batch has to be named by a rule of its own"
                                               : "");
        return false;
    }
    while ((f = head_next(request, FIELD_METHOD_OVERRIDE, &at)) != NULL)
        if (!check_override(r, f->name, f->value, path, why))
            return false;
    return check_query(r, query, path, why);
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

void rules_write_covering(const struct rules *r, const struct head *request, const struct target *t,
                          struct buf *out)
{
    const struct rule *found = covering(r, request->method_name, path_of(request, t));

    if (found == NULL)
        return;
    buf_addf(out, "%s ", found->methods);
    pattern_write(&found->pattern, out);
}

/* Sets *why and returns true if the pattern has a flaw. */
static bool has_pattern_flaw(struct slice text, struct slice pattern, struct diag *why)
{
    const char *ambiguous = rules_find_flaw(pattern);
    const char *flaw = pattern.n == 0 ? "has no path after the method" : pattern_find_flaw(pattern);

    if (flaw == NULL && ambiguous == NULL)
        return false;
    if (flaw != NULL)
        diag_set(why, "`%.*s` %s; write METHOD PATH, such as GET /odata/v2/*", (int)text.n, text.p,
                 flaw);
    else
        diag_set(
            why,
            "`%.*s` holds %s, which a path must not hold where there are rules; write the path "
            "without",
            (int)text.n, text.p, ambiguous);
    return true;
}

static void add(struct rules *r, struct slice methods, struct slice pattern)
{
    r->rules = mem_grow(r->rules, (r->count + 1) * sizeof(r->rules[0]));
    struct rule *new = &r->rules[r->count++];

    *new = (struct rule){.methods = mem_copy_bytes(methods.p, methods.n)};
    pattern_set(&new->pattern, pattern);
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

enum status rules_add(struct rules **rules, struct slice text, struct diag *why)
{
    if (*rules == NULL)
        *rules = NEW(struct rules);
    while (text.p != NULL) {
        enum status st = read_rule(*rules, pattern_next_item(&text), why);
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
        pattern_free(&r->rules[i].pattern);
    }
    free(r->rules);
    free(r);
}
