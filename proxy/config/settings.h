/*
 * settings: what the sources of a configuration say, section by section, before the values are
 * read. Private to the layer.
 *
 * The sources are added from the weakest to the strongest. An option that a stronger one sets
 * replaces that of the weaker ones, all lines of a list too.
 */
#ifndef CONFIG_SETTINGS_H
#define CONFIG_SETTINGS_H

#include "config/option.h"

enum settings_source { FROM_FILE, FROM_ENVIRONMENT, FROM_ARGUMENTS };

struct settings_entry {
    char *key, *value, *where;
    enum settings_source source;
    char *replaced; /* where a weaker source sets it; NULL: nowhere */
};

struct settings_section {
    char *tenant; /* NULL: [proxy] */
    char *where;  /* as file:line, or what set its first option */
    enum settings_source source;
    struct settings_entry *entries;
    size_t count;
};

struct settings {
    struct settings_section **sections;
    size_t count;
    char *lone_where; /* what set an option of a tenant without naming one; NULL: nothing did */
};

/* The section of that tenant, or [proxy] for NULL; NULL: there is none. */
struct settings_section *settings_find(const struct settings *s, const char *tenant);

/* A new section, which must not be there yet. ST_BAD_INPUT: that is not a name of a tenant. */
enum status settings_begin(struct settings *s, const char *tenant, const char *where,
                           enum settings_source source, struct settings_section **out,
                           struct diag *why) MUST_CHECK;

/* Adds a setting to a section. The sentence does not name the place. */
enum status settings_add(struct settings_section *to, enum settings_source source, const char *key,
                         const char *value, const char *where, struct diag *why) MUST_CHECK;

/* The same for a source without lines, whose sections begin by themselves. Adds the place. tenant
 * NULL: none is named, so that the option is one of [proxy], or of the lone tenant. */
enum status settings_add_named(struct settings *s, enum settings_source source, const char *tenant,
                               const char *key, const char *value, const char *where,
                               struct diag *why) MUST_CHECK;

/* All sources have been added: a tenant without a name is the only one. */
enum status settings_check(const struct settings *s, struct diag *why) MUST_CHECK;

/* What to write so that an option of that section is set: "the line `server = ...`". */
void settings_add_cure(const struct settings_section *section, const char *key, struct buf *out);

void settings_free(struct settings *s);

/* ---- variable.c ---- */

#define VARIABLE_PREFIX "SFMTLS_"
#define VARIABLE_TENANT "TENANT_"

/* Is that, without the prefix, how a variable spells the key? */
bool variable_is_of(struct slice name, const char *key);

/* Adds the name of the variable that sets an option. tenant NULL: none is named. */
void variable_add_name(struct buf *out, const char *tenant, const char *key);

/* ---- the sources besides the file: environment.c, arguments.c ---- */

/* Adds what the variables set whose names begin with SFMTLS_. */
enum status environment_add(struct settings *s, const char *const *variables,
                            struct diag *why) MUST_CHECK;

/* All sources have been added: refuses variables of that kind which nothing uses. */
enum status environment_check(const struct settings *s, const char *const *variables,
                              struct diag *why) MUST_CHECK;

enum status arguments_add(struct settings *s, const struct config_pair *pairs, size_t count,
                          struct diag *why) MUST_CHECK;

#endif
