#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "cli/destination_parts.h"

struct yaml {
    yaml_parser_t parser;
    const struct source *source;
    int depth;
};

static int line_of(const yaml_event_t *e)
{
    return (int)e->start_mark.line + 1;
}

/* The library's messages hold nothing of the file, so they can be shown. */
static enum status next_event(struct yaml *y, yaml_event_t *e)
{
    if (yaml_parser_parse(&y->parser, e) == 1)
        return ST_OK;
    const yaml_parser_t *p = &y->parser;
    bool located = p->error == YAML_SCANNER_ERROR || p->error == YAML_PARSER_ERROR;
    return source_refuse(y->source, located ? (int)p->problem_mark.line + 1 : 0,
                         "this is not valid YAML: %s; export it again",
                         p->problem == NULL ? "it cannot be read" : p->problem);
}

static struct slice text_of(const yaml_event_t *e)
{
    return (struct slice){(const char *)e->data.scalar.value, e->data.scalar.length};
}

static bool is_null(const yaml_event_t *e)
{
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};

    if (e->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (slice_eq(text_of(e), slice_of(words[i])))
            return true;
    return false;
}

static enum status read_value(struct yaml *y, yaml_event_t *e, struct slice key,
                              struct tree *parent);

/* Reads members up to the end event of a map, a list or a document. */
static enum status read_members(struct yaml *y, struct tree *parent, yaml_event_type_t end)
{
    enum status st = ST_OK;
    bool more = true;

    while (st == ST_OK && more) {
        yaml_event_t key = {0}, value = {0};
        st = next_event(y, &value);
        more = st == ST_OK && value.type != end;
        if (more && parent->kind == TREE_MAP) {
            key = value;
            value = (yaml_event_t){0};
            if (key.type != YAML_SCALAR_EVENT)
                st = source_refuse(y->source, line_of(&key),
                                   "a name is not plain text; write NAME: VALUE");
            else
                st = next_event(y, &value);
        }
        if (st == ST_OK && more)
            st = read_value(y, &value, parent->kind == TREE_MAP ? text_of(&key) : (struct slice){0},
                            parent);
        yaml_event_delete(&key);
        yaml_event_delete(&value);
    }
    return st;
}

static enum status read_nested(struct yaml *y, const yaml_event_t *e, struct slice key,
                               struct tree *parent)
{
    bool map = e->type == YAML_MAPPING_START_EVENT;
    struct tree *t = tree_new(map ? TREE_MAP : TREE_LIST, line_of(e));
    enum status st = tree_add(parent, key, t, y->source);

    if (st == ST_OK && ++y->depth > TREE_MAX_DEPTH)
        st = source_refuse(y->source, line_of(e), "it is nested too deep; name an export of BTP");
    if (st == ST_OK)
        st = read_members(y, t, map ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT);
    y->depth--;
    return st;
}

static enum status read_value(struct yaml *y, yaml_event_t *e, struct slice key,
                              struct tree *parent)
{
    switch (e->type) {
    case YAML_MAPPING_START_EVENT:
    case YAML_SEQUENCE_START_EVENT:
        return read_nested(y, e, key, parent);
    case YAML_SCALAR_EVENT:
        if (is_null(e))
            return tree_add(parent, key, tree_new(TREE_NOTHING, line_of(e)), y->source);
        return tree_add_text(parent, key, text_of(e), line_of(e), y->source);
    case YAML_ALIAS_EVENT:
        return source_refuse(y->source, line_of(e),
                             "an alias (*NAME) is not read; write out what it stands for");
    default: /* beginning or end of the stream or of a document */
        return ST_OK;
    }
}

enum status destination_read_yaml(const struct source *s, struct tree **out)
{
    struct yaml y = {.source = s};

    *out = NULL;
    if (yaml_parser_initialize(&y.parser) != 1)
        return source_refuse(s, 0, "there is no memory to read it; close other programs");
    yaml_parser_set_encoding(&y.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&y.parser, (const unsigned char *)s->text.p, s->text.n);
    *out = tree_new(TREE_LIST, 1);
    enum status st = read_members(&y, *out, YAML_STREAM_END_EVENT);
    yaml_parser_delete(&y.parser);
    if (st != ST_OK) {
        tree_free(*out);
        *out = NULL;
    }
    return st;
}
