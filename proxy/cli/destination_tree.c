#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/destination_parts.h"

enum status source_refuse(const struct source *s, int line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    diag_vset(s->why, format, args);
    va_end(args);
    if (line > 0)
        diag_place_line(s->why, s->name, line);
    else
        diag_place(s->why, s->name);
    return ST_BAD_INPUT;
}

struct tree *tree_new(enum tree_kind kind, int line)
{
    struct tree *t = NEW(struct tree);

    t->kind = kind;
    t->line = line;
    return t;
}

void tree_free(struct tree *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < t->count; i++)
        tree_free(t->members[i]);
    if (t->text != NULL)
        explicit_bzero(t->text, strlen(t->text));
    free(t->text);
    free(t->key);
    free(t->members);
    free(t);
}

static bool contains_nocase(struct slice s, struct slice part)
{
    for (size_t i = 0; i + part.n <= s.n; i++)
        if (slice_eq_nocase((struct slice){s.p + i, part.n}, part))
            return true;
    return false;
}

bool tree_key_is_secret(struct slice key)
{
    static const char *const words[] = {
        "password", "passwd",  "passphrase", "secret",  "authorization", "cookie",  "apikey",
        "api-key",  "api_key", "credential", "private", "pwd",           "session", "signature"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (contains_nocase(key, slice_of(words[i])))
            return true;
    return (contains_nocase(key, SLICE("token")) && !contains_nocase(key, SLICE("tokenService"))) ||
           slice_ends_nocase(key, SLICE("auth"));
}

/* Does the text look like the value of Authorization (RFC 9110, 11.4), in whatever property it
 * is? */
static bool is_credentials(struct slice text)
{
    static const char *const schemes[] = {"Basic ", "Bearer ", "Digest ", "Negotiate "};

    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        size_t n = strlen(schemes[i]);
        if (text.n > n && slice_eq_nocase((struct slice){text.p, n}, slice_of(schemes[i])))
            return true;
    }
    return false;
}

/* The place of the member in its parent; NULL: there is none. */
static struct tree **member_of(const struct tree *t, struct slice key)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->members[i]->key != NULL && slice_eq_nocase(slice_of(t->members[i]->key), key))
            return &t->members[i];
    return NULL;
}

/* An export names the secrets that it leaves out, in a comment or with an empty value. */
static bool is_placeholder(const struct tree *t)
{
    return t->kind == TREE_NOTHING || (t->kind == TREE_TEXT && t->secret && !t->given);
}

/* Of two members with the same key, keeps the one that has a value. */
static enum status merge(struct tree **old, struct tree *member, const struct source *s)
{
    const struct tree *first = *old;
    char where[48] = "";

    if (!is_placeholder(first) && !is_placeholder(member)) {
        if (first->line > 0)
            (void)snprintf(where, sizeof(where), " (first in line %d)", first->line);
        (void)source_refuse(s, member->line, "`%s` appears a second time%s; keep one of them",
                            first->key, where);
        tree_free(member);
        return ST_BAD_INPUT;
    }
    if (!is_placeholder(member)) {
        struct tree *swap = *old;
        *old = member;
        member = swap;
    }
    tree_free(member);
    return ST_OK;
}

static const char *flaw_of(const struct tree *parent, struct slice key)
{
    if (key.n > 0 && memchr(key.p, '\0', key.n) != NULL)
        return "a name contains a NUL character; take it out";
    if (parent->count == TREE_MAX_MEMBERS)
        return "there are more than 1000 things in one; name an export of BTP";
    return NULL;
}

enum status tree_add(struct tree *parent, struct slice key, struct tree *member,
                     const struct source *s)
{
    const char *flaw = flaw_of(parent, key);

    if (flaw != NULL) {
        (void)source_refuse(s, member->line, "%s", flaw);
        tree_free(member);
        return ST_BAD_INPUT;
    }
    if (parent->kind == TREE_MAP) {
        struct tree **old = member_of(parent, key);
        member->key = mem_copy_bytes(key.p, key.n);
        if (old != NULL)
            return merge(old, member, s);
    }
    parent->members = mem_grow(parent->members, (parent->count + 1) * sizeof(struct tree *));
    parent->members[parent->count++] = member;
    return ST_OK;
}

static bool is_given(struct slice text)
{
    return text.n > 0 && !(text.n > 2 && memcmp(text.p, "<< ", 3) == 0);
}

enum status tree_add_text(struct tree *parent, struct slice key, struct slice text, int line,
                          const struct source *s)
{
    if (text.n > 0 && memchr(text.p, '\0', text.n) != NULL)
        return source_refuse(s, line, "a value contains a NUL character; take it out");
    struct tree *t = tree_new(TREE_TEXT, line);
    t->secret = parent->kind == TREE_MAP && (tree_key_is_secret(key) || is_credentials(text));
    t->given = is_given(text);
    if (!t->secret)
        t->text = mem_copy_bytes(text.p, text.n);
    return tree_add(parent, key, t, s);
}
