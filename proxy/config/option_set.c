#include "config/option_set.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/value.h"
#include "http/chars.h"

static void *place(const struct option *o, void *section)
{
    return (char *)section + o->offset;
}

static enum status check_range(const struct option *o, int64_t value, const char *text,
                               const char *unit, struct diag *why)
{
    if (value >= o->min && value <= o->max)
        return ST_OK;
    diag_set(why, "`%s` is out of range; write something from %lld to %lld%s", text,
             (long long)o->min, (long long)o->max, unit);
    return ST_BAD_INPUT;
}

enum status option_set_duration(const struct option *o, void *section, const struct setting *s,
                                struct diag *why)
{
    int64_t *out = place(o, section);
    enum status st = value_duration(s->value, out, why);

    return st == ST_OK ? check_range(o, *out, s->value, " ms", why) : st;
}

enum status option_set_size(const struct option *o, void *section, const struct setting *s,
                            struct diag *why)
{
    int64_t *out = place(o, section);
    enum status st = value_size(s->value, out, why);

    return st == ST_OK ? check_range(o, *out, s->value, " bytes", why) : st;
}

enum status option_set_count(const struct option *o, void *section, const struct setting *s,
                             struct diag *why)
{
    int64_t *out = place(o, section);
    enum status st = value_count(s->value, out, why);

    return st == ST_OK ? check_range(o, *out, s->value, "", why) : st;
}

enum status option_set_workers(const struct option *o, void *section, const struct setting *s,
                               struct diag *why)
{
    int64_t *out = place(o, section);

    if (strcmp(s->value, "auto") != 0)
        return option_set_count(o, section, s, why);
    *out = 0;
    return ST_OK;
}

enum status option_set_choice(const struct option *o, void *section, const struct setting *s,
                              struct diag *why)
{
    int index;
    enum status st = value_choice(s->value, o->choices, &index, why);

    if (st == ST_OK)
        *(int *)place(o, section) = index;
    return st;
}

/* The second choice means true. */
enum status option_set_bool(const struct option *o, void *section, const struct setting *s,
                            struct diag *why)
{
    int index;
    enum status st = value_choice(s->value, o->choices, &index, why);

    if (st == ST_OK)
        *(bool *)place(o, section) = index == 1;
    return st;
}

enum status option_set_text(const struct option *o, void *section, const struct setting *s,
                            struct diag *why)
{
    (void)why;
    char **out = place(o, section);
    free(*out);
    *out = mem_copy_string(s->value);
    return ST_OK;
}

enum status option_set_path(const struct option *o, void *section, const struct setting *s,
                            struct diag *why)
{
    (void)why;
    char **out = place(o, section);
    free(*out);
    *out = mem_format("%s%s", s->value[0] == '/' ? "" : s->folder, s->value);
    return ST_OK;
}

enum status option_set_log(const struct option *o, void *section, const struct setting *s,
                           struct diag *why)
{
    if (strcmp(s->value, "stderr") == 0)
        return ST_OK;
    return option_set_path(o, section, s, why);
}

enum status option_set_connect_allow(const struct option *o, void *section, const struct setting *s,
                                     struct diag *why)
{
    struct config *c = section;
    struct slice rest = slice_of(s->value);

    (void)o;
    while (rest.n > 0) {
        struct slice item = slice_trim(slice_split(&rest, ','));
        char *text = mem_copy_bytes(item.p, item.n);
        struct endpoint to;
        enum status st = value_endpoint(text, false, 0, &to, why);
        free(text);
        if (st != ST_OK)
            return st;
        size_t n = c->nconnect_allow + 1;
        c->connect_allow = mem_grow(c->connect_allow, n * sizeof(c->connect_allow[0]));
        c->connect_allow_wheres = mem_grow(c->connect_allow_wheres, n * sizeof(char *));
        c->connect_allow_wheres[n - 1] = mem_copy_string(s->where);
        c->connect_allow[n - 1] = to;
        c->nconnect_allow = n;
    }
    return ST_OK;
}

enum status option_set_company_id(const struct option *o, void *section, const struct setting *s,
                                  struct diag *why)
{
    struct slice value = slice_of(s->value);

    if (value.n > 128 || !chars_are(value, CHAR_TARGET)) {
        diag_set(why, "`%s` is not a company ID; write it as Admin Center shows it, without blanks",
                 s->value);
        return ST_BAD_INPUT;
    }
    return option_set_text(o, section, s, why);
}

enum status option_set_server(const struct option *o, void *section, const struct setting *s,
                              struct diag *why)
{
    return value_endpoint(s->value, true, 443, place(o, section), why);
}

enum status option_set_connect_to(const struct option *o, void *section, const struct setting *s,
                                  struct diag *why)
{
    return value_endpoint(s->value, false, 0, place(o, section), why);
}

static bool is_reserved(struct slice name)
{
    const uint64_t stripped = FIELDS_STRIPPED & ~field_bit(FIELD_FORWARDED);
    const uint64_t reserved = FIELDS_HOP_BY_HOP | stripped | field_bit(FIELD_HOST) |
                              field_bit(FIELD_COMPANY_ID) | field_bit(FIELD_CONTENT_LENGTH) |
                              field_bit(FIELD_TRANSFER_ENCODING) | field_bit(FIELD_FRAMING_ALIAS) |
                              field_bit(FIELD_EXPECT) | field_bit(FIELD_TRAILER);

    return (field_bit(field_identify(name)) & reserved) != 0;
}

enum status option_set_header(const struct option *o, void *section, const struct setting *s,
                              struct diag *why)
{
    struct tenant *t = section;
    const char *name = s->key + strlen(o->key) - 1;
    const char *flaw = NULL;

    if (*name == '\0' || !chars_are(slice_of(name), CHAR_TOKEN))
        flaw = "is not a field name; use letters, digits and '-'";
    else if (is_reserved(slice_of(name)))
        flaw = "cannot be set: the proxy itself decides about that field; take the line out";
    else if (!chars_are(slice_of(s->value), CHAR_VALUE))
        flaw = "has a value with a control character in it; write visible characters only";
    if (flaw != NULL) {
        diag_set(why, "the header `%s` %s", name, flaw);
        return ST_BAD_INPUT;
    }
    for (size_t i = 0; i < t->nheaders; i++) {
        if (!slice_eq_nocase(slice_of(t->headers[i].name), slice_of(name)))
            continue;
        diag_set(why, "the header `%s` is set a second time (first at %s); keep one of the lines",
                 name, t->header_wheres[i]);
        return ST_BAD_INPUT;
    }
    t->header_wheres = mem_grow(t->header_wheres, (t->nheaders + 1) * sizeof(char *));
    t->header_wheres[t->nheaders] = mem_copy_string(s->where);
    t->headers = mem_grow(t->headers, (t->nheaders + 1) * sizeof(t->headers[0]));
    t->headers[t->nheaders++] =
        (struct edit_header){mem_copy_string(name), mem_copy_string(s->value)};
    return ST_OK;
}

enum status option_set_allow(const struct option *o, void *section, const struct setting *s,
                             struct diag *why)
{
    return rules_add(place(o, section), slice_of(s->value), why);
}

/* Does nothing: listeners belong to the whole configuration, so the loader collects them. */
enum status option_set_nothing(const struct option *o, void *section, const struct setting *s,
                               struct diag *why)
{
    (void)o;
    (void)section;
    (void)s;
    (void)why;
    return ST_OK;
}
