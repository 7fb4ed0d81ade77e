/*
 * destination_parts: what the readers of the three forms share. Each turns a
 * text into a tree, in which destination.c finds the destinations.
 */
#ifndef CLI_DESTINATION_PARTS_H
#define CLI_DESTINATION_PARTS_H

#include "cli/destination.h"

enum tree_kind { TREE_NOTHING, TREE_TEXT, TREE_LIST, TREE_MAP };

enum { TREE_MAX_DEPTH = 32, TREE_MAX_MEMBERS = 1000 };

struct tree {
    enum tree_kind kind;
    char *key;  /* of a member of a map, else NULL */
    char *text; /* of a TREE_TEXT; NULL: a secret */
    bool secret, given;
    int line; /* 0: not known */
    struct tree **members;
    size_t count;
};

/* A text and how sentences call it. */
struct source {
    const char *name;
    struct slice text;
    struct diag *why;
};

/* Sets the sentence, "name:line: " before it (line 0: without), and returns ST_BAD_INPUT. */
enum status source_refuse(const struct source *s, int line, const char *format, ...)
    PRINTF_LIKE(3, 4);

struct tree *tree_new(enum tree_kind kind, int line);
void tree_free(struct tree *t); /* overwrites the texts; NULL is allowed */

/* Adds member, which the parent then owns, also on failure. key is for maps: a second one of the
 * same name, whatever its case, is refused. */
enum status tree_add(struct tree *parent, struct slice key, struct tree *member,
                     const struct source *s) MUST_CHECK;

/* The same for a text. NUL in key or text is refused; a secret's is not kept. */
enum status tree_add_text(struct tree *parent, struct slice key, struct slice text, int line,
                          const struct source *s) MUST_CHECK;

/* Does a property's name say that its value is a secret? */
bool tree_key_is_secret(struct slice key);

/* The readers. On success *out is the whole; on failure NULL. */
enum status destination_read_properties(const struct source *s, struct tree **out) MUST_CHECK;
enum status destination_read_json(const struct source *s, struct tree **out) MUST_CHECK;
enum status destination_read_yaml(const struct source *s, struct tree **out) MUST_CHECK;

#endif
