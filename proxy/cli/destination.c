#include "cli/destination.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "cli/destination_parts.h"

/* ---- which form ---- */

typedef enum status reader(const struct source *s, struct tree **out);

static bool begins(struct slice s, const char *with)
{
    size_t n = strlen(with);

    return s.n >= n && memcmp(s.p, with, n) == 0;
}

static struct slice cut_line(struct slice *text)
{
    struct slice line = {text->p, 0};

    while (line.n < text->n && line.p[line.n] != '\n' && line.p[line.n] != '\r')
        line.n++;
    size_t used = line.n < text->n ? line.n + 1 : line.n;
    *text = (struct slice){text->p + used, text->n - used};
    return line;
}

/* The first line that is neither empty nor a comment. */
static struct slice first_line(struct slice text)
{
    while (text.n > 0) {
        struct slice line = slice_trim(cut_line(&text));
        if (line.n > 0 && *line.p != '#' && *line.p != '!')
            return line;
    }
    return (struct slice){0};
}

/* Does the line separate name and value like YAML: by a colon before a blank or the line's end? */
static bool looks_like_yaml(struct slice line)
{
    if (begins(line, "---") || begins(line, "%YAML") || begins(line, "- ") ||
        slice_eq(line, SLICE("-")) || begins(line, "\"") || begins(line, "'"))
        return true;
    if (line.n > 0 && line.p[line.n - 1] == '\\')
        return false; /* it continues in the next line */
    for (size_t i = 0; i < line.n; i++) {
        char c = line.p[i];
        if (c == '=' || c == '\\')
            return false;
        if (c == ':')
            return i + 1 == line.n || line.p[i + 1] == ' ' || line.p[i + 1] == '\t';
    }
    return false;
}

static reader *reader_of(struct slice text)
{
    struct slice line = first_line(text);

    if (begins(line, "{") || begins(line, "["))
        return destination_read_json;
    return looks_like_yaml(line) ? destination_read_yaml : destination_read_properties;
}

/* What the file is instead of an export; NULL: not known. */
static const char *mistake(struct slice text)
{
    if (first_line(text).n == 0)
        return "it is empty; name a destination exported from BTP";
    if (begins(text, "PK\003\004"))
        return "it is an archive, as BTP exports several destinations; unpack it and name a file "
               "of it";
    if (utf8_is_16(text))
        return "it is UTF-16; save it as UTF-8";
    if (memchr(text.p, '\0', text.n) != NULL)
        return "it is not text; name a destination exported from BTP";
    if (begins(text, "-----BEGIN "))
        return "it is a certificate or key, which belongs into `certificate` of a [tenant NAME] "
               "section; name a destination exported from BTP";
    return NULL;
}

/* ---- destinations in a tree ---- */

static const struct tree *member(const struct tree *map, const char *key)
{
    for (size_t i = 0; i < map->count; i++)
        if (slice_eq_nocase(slice_of(map->members[i]->key), slice_of(key)))
            return map->members[i];
    return NULL;
}

/* Is it a destination? The certificates in an answer of the Destination service also have a Name
 * and a Type. */
static bool is_destination(const struct tree *map)
{
    return member(map, "URL") != NULL ||
           (member(map, "Name") != NULL && member(map, "Type") != NULL &&
            member(map, "Content") == NULL);
}

static void add_property(struct destination *d, const struct tree *t, const char *key)
{
    bool secret = t->secret || tree_key_is_secret(slice_of(key));

    d->properties = mem_grow(d->properties, (d->count + 1) * sizeof(d->properties[0]));
    d->properties[d->count++] = (struct property){.key = key,
                                                  .value = secret ? NULL : t->text,
                                                  .line = t->line,
                                                  .secret = secret,
                                                  .given = t->given};
}

/* Adds "URL": {"headers": {"X": 1}} as URL.headers.X; the long key replaces the member's own
 * key. */
static void add_properties(struct destination *d, struct tree *map, const char *prefix)
{
    for (size_t i = 0; i < map->count; i++) {
        struct tree *t = map->members[i];
        if (prefix != NULL) {
            char *key = mem_format("%s.%s", prefix, t->key);
            free(t->key);
            t->key = key;
        }
        if (t->kind == TREE_MAP)
            add_properties(d, t, t->key);
        else if (t->kind != TREE_NOTHING)
            add_property(d, t, t->key);
    }
}

/* certificates: those of the answer that t is in; NULL: none. */
static enum status collect(struct tree *t, const struct tree *certificates,
                           struct destinations *out, const struct source *s)
{
    enum status st = ST_OK;
    const struct tree *inner = t->kind == TREE_MAP ? member(t, "destinationConfiguration") : NULL;

    if (t->kind != TREE_MAP && t->kind != TREE_LIST)
        return ST_OK;
    if (inner != NULL)
        certificates = member(t, "certificates");
    if (t->kind == TREE_MAP && (inner == NULL || inner->kind != TREE_MAP) && is_destination(t)) {
        if (out->count == TREE_MAX_MEMBERS)
            return source_refuse(s, t->line, "there are more than %d destinations; split the file",
                                 TREE_MAX_MEMBERS);
        out->all = mem_grow(out->all, (out->count + 1) * sizeof(out->all[0]));
        out->all[out->count] = (struct destination){.line = t->line, .certificates = certificates};
        add_properties(&out->all[out->count++], t, NULL);
        return ST_OK;
    }
    for (size_t i = 0; i < t->count && st == ST_OK; i++)
        st = collect(t->members[i], certificates, out, s);
    return st;
}

enum status destinations_read(const char *name, struct slice text, struct destinations *out,
                              struct diag *why)
{
    struct destinations found = {0};

    utf8_skip_mark(&text);
    const struct source s = {name, text, why};
    const char *flaw = mistake(text);
    if (flaw != NULL)
        return source_refuse(&s, 0, "%s", flaw);
    enum status st = reader_of(text)(&s, &found.tree);
    if (st == ST_OK)
        st = collect(found.tree, NULL, &found, &s);
    if (st == ST_OK && found.count == 0)
        st = source_refuse(&s, 0,
                           "it holds no destination: none has a URL, or a Name and a Type; name a "
                           "destination exported from BTP");
    if (st == ST_OK)
        *out = found;
    else
        destinations_free(&found);
    return st;
}

void destinations_free(struct destinations *d)
{
    for (size_t i = 0; i < d->count; i++)
        free(d->all[i].properties);
    free(d->all);
    tree_free(d->tree);
    *d = (struct destinations){0};
}

static const char *text_of(const struct tree *map, const char *key)
{
    const struct tree *t = map->kind == TREE_MAP ? member(map, key) : NULL;

    return t == NULL ? NULL : t->text;
}

struct slice destination_certificate(const struct destination *d, const char *name)
{
    const struct tree *all = d->certificates;

    for (size_t i = 0; all != NULL && all->kind == TREE_LIST && i < all->count; i++) {
        const char *its = text_of(all->members[i], "Name");
        if (its != NULL && strcmp(its, name) == 0)
            return slice_of(text_of(all->members[i], "Content"));
    }
    return (struct slice){0};
}

struct property *destination_find(const struct destination *d, const char *key)
{
    for (size_t i = 0; i < d->count; i++)
        if (slice_eq_nocase(slice_of(d->properties[i].key), slice_of(key)))
            return &d->properties[i];
    return NULL;
}
