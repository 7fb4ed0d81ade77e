/*
 * destination_parts: what the readers of the three forms share. Each reader
 * turns a text into a tree, in which destination.c looks for destinations.
 */
#ifndef CLI_DESTINATION_PARTS_H
#define CLI_DESTINATION_PARTS_H

#include "cli/destination.h"

enum tree_kind { TREE_NOTHING, TREE_TEXT, TREE_LIST, TREE_MAP };

enum { TREE_MAX_DEPTH = 32, TREE_MAX_MEMBERS = 1000 };

struct tree {
    enum tree_kind kind;
    char *key;  /* of a member of a map; otherwise NULL */
    char *text; /* of a TREE_TEXT; NULL: a secret */
    bool secret, given;
    int line; /* 0: not known */
    struct tree **members;
    size_t count;
};

/* A text, its name in sentences, and the place for a sentence. */
struct source {
    const char *name;
    struct slice text;
    struct diag *why;
};

/* Sets *s->why, beginning with "name:line: " (line 0: "name: "), and returns ST_BAD_INPUT. */
enum status source_refuse(const struct source *s, int line, const char *format, ...)
    PRINTF_LIKE(3, 4);

struct tree *tree_new(enum tree_kind kind, int line);
void tree_free(struct tree *t); /* overwrites the texts; NULL is allowed */

/* Adds a member; the parent owns it then, also on failure. key: for maps. A second member with the
 * same key, in any case of letters, is refused. */
enum status tree_add(struct tree *parent, struct slice key, struct tree *member,
                     const struct source *s) MUST_CHECK;

/* The same for a text. A NUL in key or text is refused. The text of a secret is not kept. */
enum status tree_add_text(struct tree *parent, struct slice key, struct slice text, int line,
                          const struct source *s) MUST_CHECK;

/* Does a property's name say that its value is a secret? */
bool tree_key_is_secret(struct slice key);

/* The readers. *out: the whole text as a tree; NULL on failure. */
enum status destination_read_properties(const struct source *s, struct tree **out) MUST_CHECK;
enum status destination_read_json(const struct source *s, struct tree **out) MUST_CHECK;
enum status destination_read_yaml(const struct source *s, struct tree **out) MUST_CHECK;

#endif
