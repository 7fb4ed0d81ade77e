/* Reads only the settings that name the admin listener and its tokens, even if others are wrong. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/load_parts.h"
#include "config/reader.h"

static const char *const wanted[] = {"admin", "admin-token-file", "caller-token-file"};

static bool is_wanted(const char *key)
{
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
        if (strcmp(wanted[i], key) == 0)
            return true;
    return false;
}

/* ---- the file ---- */

struct file {
    const char *path;
    struct settings *settings;
    bool in_proxy;
};

static enum status on_section(void *ctx, const char *title, int line, struct diag *why)
{
    struct file *f = ctx;

    (void)line;
    (void)why;
    f->in_proxy = strcmp(title, "proxy") == 0;
    return ST_OK;
}

static enum status on_setting(void *ctx, const char *key, const char *value, int line,
                              struct diag *why)
{
    struct file *f = ctx;

    if (!f->in_proxy || !is_wanted(key))
        return ST_OK;
    char *where = mem_format("%s:%d", f->path, line);
    enum status st = settings_add_named(f->settings, FROM_FILE, NULL, key, value, where, why);
    free(where);
    return st;
}

/* Up to the first line that is no line of such a file. */
static void read_file(struct settings *s, const char *path)
{
    static const struct reader_sink sink = {on_section, on_setting};
    struct file f = {path, s, false};
    struct diag unused;

    if (reader_run(path, &sink, &f, &unused) != ST_OK)
        return;
}

/* ---- the other sources ---- */

static enum status add_variables(struct settings *s, const char *const *variables, struct diag *why)
{
    const char *found[ARRAY_LEN(wanted) + 1] = {NULL};
    size_t n = 0;

    for (; variables != NULL && *variables != NULL && n < ARRAY_LEN(wanted); variables++) {
        if (strncmp(*variables, VARIABLE_PREFIX, strlen(VARIABLE_PREFIX)) != 0)
            continue;
        const char *name = *variables + strlen(VARIABLE_PREFIX);
        for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
            if (variable_is_of((struct slice){name, strcspn(name, "=")}, wanted[i]))
                found[n++] = *variables;
    }
    return environment_add(s, found, why);
}

enum status load_read_admin(struct settings *s, const struct config_sources *from, struct diag *why)
{
    if (from->file != NULL)
        read_file(s, from->file);
    enum status st = add_variables(s, from->environment, why);
    return st == ST_OK ? arguments_add(s, from->arguments, from->narguments, why) : st;
}
