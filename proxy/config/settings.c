#include "config/settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "http/chars.h"

enum { MAX_TENANT_NAME = 32 };

static enum option_section kind_of(const struct settings_section *s)
{
    return s->tenant == NULL ? SECTION_PROXY : SECTION_TENANT;
}

/* ---- sections ---- */

static bool is_same_name(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

struct settings_section *settings_find(const struct settings *s, const char *tenant)
{
    for (size_t i = 0; i < s->count; i++)
        if (is_same_name(s->sections[i]->tenant, tenant))
            return s->sections[i];
    return NULL;
}

enum status settings_begin(struct settings *s, const char *tenant, const char *where,
                           enum settings_source source, struct settings_section **out,
                           struct diag *why)
{
    struct slice name = slice_of(tenant);

    if (tenant != NULL &&
        (name.n == 0 || name.n > MAX_TENANT_NAME || !chars_are(name, CHAR_HOST))) {
        diag_set(why, "`%s` is not a tenant name; use 1 to %d of A-Z a-z 0-9 . _ -", tenant,
                 MAX_TENANT_NAME);
        return ST_BAD_INPUT;
    }
    *out = NEW(struct settings_section);
    **out = (struct settings_section){
        .tenant = mem_copy_string(tenant), .where = mem_copy_string(where), .source = source};
    s->sections = mem_grow(s->sections, (s->count + 1) * sizeof(s->sections[0]));
    s->sections[s->count++] = *out;
    return ST_OK;
}

/* ---- settings ---- */

static enum status refuse_unknown(enum option_section kind, const char *key, struct diag *why)
{
    static const char *const titles[] = {
        [SECTION_PROXY] = "[proxy]", [SECTION_TENANT] = "a [tenant] section"};
    const char *nearest = option_nearest(kind, key);
    enum option_section other = kind == SECTION_TENANT ? SECTION_PROXY : SECTION_TENANT;

    if (option_find(other, key) != NULL)
        diag_set(why, "`%s` belongs into %s, not into %s", key,
                 other == SECTION_PROXY ? "[proxy]" : "a [tenant NAME] section", titles[kind]);
    else if (nearest != NULL)
        diag_set(why, "unknown key `%s` in %s; did you mean `%s`?", key, titles[kind], nearest);
    else
        diag_set(why, "unknown key `%s` in %s; `sfmtls help config` lists all keys", key,
                 titles[kind]);
    return ST_BAD_INPUT;
}

static void entry_free(struct settings_entry *e)
{
    free(e->key);
    free(e->value);
    free(e->where);
    free(e->replaced);
}

static struct settings_entry *find_entry(const struct settings_section *s, const char *key)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->entries[i].key, key) == 0)
            return &s->entries[i];
    return NULL;
}

/* Removes what weaker sources set for the option. Returns the place of the first removed setting,
 * which the user frees; NULL: nothing was removed. */
static char *take_weaker(struct settings_section *s, enum settings_source source, const char *key)
{
    char *first = NULL;
    size_t kept = 0;

    for (size_t i = 0; i < s->count; i++) {
        struct settings_entry *e = &s->entries[i];
        if (e->source == source || strcmp(e->key, key) != 0) {
            s->entries[kept++] = *e;
            continue;
        }
        if (first == NULL)
            first = mem_copy_string(e->where);
        entry_free(e);
    }
    s->count = kept;
    return first;
}

enum status settings_add(struct settings_section *to, enum settings_source source, const char *key,
                         const char *value, const char *where, struct diag *why)
{
    const struct option *o = option_find(kind_of(to), key);
    const struct settings_entry *before = find_entry(to, key);

    if (o == NULL)
        return refuse_unknown(kind_of(to), key, why);
    if (*value == '\0') {
        diag_set(why, "`%s` has no value; give one or take the %s out", key,
                 source == FROM_FILE          ? "line"
                 : source == FROM_ENVIRONMENT ? "variable"
                                              : "option");
        return ST_BAD_INPUT;
    }
    if (before != NULL && before->source == source && !o->repeats && !option_is_prefix(o)) {
        diag_set(why, "`%s` is set a second time (first at %s); keep one of them", key,
                 before->where);
        return ST_BAD_INPUT;
    }
    char *replaced = take_weaker(to, source, key);
    to->entries = mem_grow(to->entries, (to->count + 1) * sizeof(to->entries[0]));
    to->entries[to->count++] = (struct settings_entry){mem_copy_string(key), mem_copy_string(value),
                                                       mem_copy_string(where), source, replaced};
    return ST_OK;
}

/* ---- sources without lines ---- */

static bool has_control(const char *value)
{
    for (; *value != '\0'; value++)
        if ((unsigned char)*value < ' ' || *value == 0x7f)
            return true;
    return false;
}

static enum status add_trimmed(struct settings_section *to, enum settings_source source,
                               const char *key, const char *value, const char *where,
                               struct diag *why)
{
    static const char blanks[] = " \t\r\n";
    size_t n = strlen(value + strspn(value, blanks));
    const char *begin = value + strspn(value, blanks);

    while (n > 0 && strchr(blanks, begin[n - 1]) != NULL)
        n--;
    char *text = mem_copy_bytes(begin, n);
    enum status st = ST_BAD_INPUT;
    if (has_control(text))
        diag_set(why, "the value of `%s` has a control character in it; write it in one line%s",
                 key, option_find(kind_of(to), key)->repeats ? ", with commas" : "");
    else
        st = settings_add(to, source, key, text, where, why);
    free(text);
    return st;
}

static enum status find_or_begin(struct settings *s, enum settings_source source,
                                 const char *tenant, const char *where,
                                 struct settings_section **out, struct diag *why)
{
    *out = settings_find(s, tenant);
    return *out != NULL ? ST_OK : settings_begin(s, tenant, where, source, out, why);
}

enum status settings_add_named(struct settings *s, enum settings_source source, const char *tenant,
                               const char *key, const char *value, const char *where,
                               struct diag *why)
{
    bool is_lone = tenant == NULL && option_find(SECTION_PROXY, key) == NULL;
    struct settings_section *to;

    if (is_lone)
        tenant = CONFIG_LONE_TENANT;
    enum status st = find_or_begin(s, source, tenant, where, &to, why);
    if (st == ST_OK)
        st = add_trimmed(to, source, key, value, where, why);
    if (st != ST_OK)
        diag_place(why, where);
    else if (is_lone && s->lone_where == NULL)
        s->lone_where = mem_copy_string(where);
    return st;
}

/* ---- all of them ---- */

enum status settings_check(const struct settings *s, struct diag *why)
{
    for (size_t i = 0; s->lone_where != NULL && i < s->count; i++) {
        const struct settings_section *other = s->sections[i];
        if (other->tenant == NULL ||
            (other->source != FROM_FILE && strcmp(other->tenant, CONFIG_LONE_TENANT) == 0))
            continue;
        struct buf variable = {0};
        variable_add_name(&variable, other->tenant, "");
        diag_at(why, s->lone_where,
                "is an option of a tenant without a name, but there is the tenant %s (%s); name "
                "the tenant, with --set %s.KEY=VALUE or %.*sKEY",
                other->tenant, other->where, other->tenant, (int)variable.n, variable.p);
        buf_free(&variable);
        return ST_BAD_INPUT;
    }
    return ST_OK;
}

void settings_add_cure(const struct settings_section *section, const char *key, struct buf *out)
{
    bool is_lone = strcmp(section->tenant, CONFIG_LONE_TENANT) == 0;

    if (section->source == FROM_FILE)
        buf_addf(out, "the line `%s = ...`", key);
    else if (section->source == FROM_ENVIRONMENT)
        variable_add_name(out, is_lone ? NULL : section->tenant, key);
    else if (is_lone)
        buf_addf(out, "--%s", key);
    else
        buf_addf(out, "--set %s.%s=...", section->tenant, key);
}

static void section_free(struct settings_section *s)
{
    for (size_t i = 0; i < s->count; i++)
        entry_free(&s->entries[i]);
    free(s->entries);
    free(s->tenant);
    free(s->where);
    free(s);
}

void settings_free(struct settings *s)
{
    for (size_t i = 0; i < s->count; i++)
        section_free(s->sections[i]);
    free(s->sections);
    free(s->lone_where);
}
