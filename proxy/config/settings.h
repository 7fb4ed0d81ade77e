/*
 * settings: the settings of all sources, section by section, before their
 * values are read. Private to this layer.
 *
 * Sources are added from the weakest to the strongest. If a stronger source
 * sets an option, that replaces what weaker sources set, including all lines of
 * a list.
 */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include "config/option.h"

enum settings_source { FROM_FILE, FROM_ENVIRONMENT, FROM_ARGUMENTS };

struct settings_entry {
    char *key, *value, *where;
    enum settings_source source;
    char *replaced; /* where a weaker source set the option; NULL: nowhere */
};

struct settings_section {
    char *tenant; /* NULL: [proxy] */
    char *where;  /* file:line, or the variable or argument that set its first option */
    enum settings_source source;
    struct settings_entry *entries;
    size_t count;
};

struct settings {
    struct settings_section **sections;
    size_t count;
    /* the first setting that sets an option of a tenant without naming one; NULL: there is none */
    char *lone_where;
};

/* The section of that tenant; tenant NULL: [proxy]. NULL: there is no such section. */
struct settings_section *settings_find(const struct settings *s, const char *tenant);

/* Adds a section, which must not exist yet. ST_BAD_INPUT: that cannot be the name of a tenant. */
enum status settings_begin(struct settings *s, const char *tenant, const char *where,
                           enum settings_source source, struct settings_section **out,
                           struct diag *why) MUST_CHECK;

/* Adds a setting to a section. The sentence of an error does not name the place. */
enum status settings_add(struct settings_section *to, enum settings_source source, const char *key,
                         const char *value, const char *where, struct diag *why) MUST_CHECK;

/* The same for a source without lines: it makes the section if necessary, and the sentence names
 * the place. tenant NULL: no tenant is named, so the option belongs to [proxy] or to the lone
 * tenant. */
enum status settings_add_named(struct settings *s, enum settings_source source, const char *tenant,
                               const char *key, const char *value, const char *where,
                               struct diag *why) MUST_CHECK;

/* Call it when all sources have been added: if a setting names no tenant, there must not be a
 * second tenant. */
enum status settings_check(const struct settings *s, struct diag *why) MUST_CHECK;

/* Appends what to write to set an option of that section, such as "the line `server = ...`". */
void settings_add_cure(const struct settings_section *section, const char *key, struct buf *out);

void settings_free(struct settings *s);

/* ---- variable.c ---- */

#define VARIABLE_PREFIX "SFMTLS_"
#define VARIABLE_TENANT "TENANT_"

/* Does a variable with that name (without the prefix) mean the key? */
bool variable_is_of(struct slice name, const char *key);

/* Appends the name of the variable that sets an option. tenant NULL: the name contains no
 * tenant. */
void variable_add_name(struct buf *out, const char *tenant, const char *key);

/* ---- the other sources: environment.c, arguments.c ---- */

/* Adds the settings of all variables whose names begin with SFMTLS_. */
enum status environment_add(struct settings *s, const char *const *variables,
                            struct diag *why) MUST_CHECK;

/* Call it when all sources have been added: refuses variables with that prefix that nothing
 * uses. */
enum status environment_check(const struct settings *s, const char *const *variables,
                              struct diag *why) MUST_CHECK;

enum status arguments_add(struct settings *s, const struct config_pair *pairs, size_t count,
                          struct diag *why) MUST_CHECK;

#endif
