#include <string.h>

#include <jansson.h>

#include "base/mem.h"
#include "cli/destination_parts.h"

static enum status add_value(json_t *value, struct slice key, struct tree *parent, int depth,
                             const struct source *s);

static enum status add_object(json_t *value, struct tree *map, int depth, const struct source *s)
{
    enum status st = ST_OK;

    for (void *i = json_object_iter(value); i != NULL && st == ST_OK;
         i = json_object_iter_next(value, i))
        st = add_value(json_object_iter_value(i), slice_of(json_object_iter_key(i)), map, depth, s);
    return st;
}

static enum status add_array(json_t *value, struct tree *list, int depth, const struct source *s)
{
    enum status st = ST_OK;

    for (size_t i = 0; i < json_array_size(value) && st == ST_OK; i++)
        st = add_value(json_array_get(value, i), (struct slice){0}, list, depth, s);
    return st;
}

static enum status add_number(json_t *value, struct slice key, struct tree *parent,
                              const struct source *s)
{
    char *text = json_is_integer(value)
                     ? mem_format("%" JSON_INTEGER_FORMAT, json_integer_value(value))
                     : mem_format("%.17g", json_real_value(value));
    enum status st = tree_add_text(parent, key, slice_of(text), 0, s);

    free(text);
    return st;
}

static enum status add_nested(json_t *value, struct slice key, struct tree *parent, int depth,
                              const struct source *s)
{
    if (depth == TREE_MAX_DEPTH)
        return source_refuse(s, 0, "it is nested too deep; name an export of BTP");
    struct tree *t = tree_new(json_is_object(value) ? TREE_MAP : TREE_LIST, 0);
    enum status st = tree_add(parent, key, t, s);
    if (st == ST_OK)
        st = (json_is_object(value) ? add_object : add_array)(value, t, depth + 1, s);
    return st;
}

static enum status add_value(json_t *value, struct slice key, struct tree *parent, int depth,
                             const struct source *s)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
    case JSON_ARRAY:
        return add_nested(value, key, parent, depth, s);
    case JSON_STRING:
        return tree_add_text(
            parent, key, (struct slice){json_string_value(value), json_string_length(value)}, 0, s);
    case JSON_INTEGER:
    case JSON_REAL:
        return add_number(value, key, parent, s);
    case JSON_TRUE:
    case JSON_FALSE:
        return tree_add_text(parent, key, json_is_true(value) ? SLICE("true") : SLICE("false"), 0,
                             s);
    case JSON_NULL:
        break;
    }
    return tree_add(parent, key, tree_new(TREE_NOTHING, 0), s);
}

/* The library's message ends with a part of the text, which may be a secret. So that part is left
 * out. */
static enum status refuse(const struct source *s, const json_error_t *error)
{
    const char *near = strstr(error->text, " near ");
    int n = near == NULL ? (int)strlen(error->text) : (int)(near - error->text);

    return source_refuse(s, error->line, "this is not valid JSON: %.*s; export it again", n,
                         error->text);
}

enum status destination_read_json(const struct source *s, struct tree **out)
{
    json_error_t error;
    json_t *value = json_loadb(s->text.p, s->text.n, JSON_REJECT_DUPLICATES, &error);

    *out = NULL;
    if (value == NULL)
        return refuse(s, &error);
    *out = tree_new(TREE_LIST, 0);
    enum status st = add_value(value, (struct slice){0}, *out, 0, s);
    json_decref(value);
    if (st != ST_OK) {
        tree_free(*out);
        *out = NULL;
    }
    return st;
}
