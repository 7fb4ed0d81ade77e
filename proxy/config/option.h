/*
 * option: the table of all configuration options. The parser, the defaults, the
 * hints in error messages, `sfmtls help config` and conf/sfmtls.ini are made
 * from it.
 */
#ifndef CONFIG_OPTION_H
#define CONFIG_OPTION_H

#include "config/config.h"

enum option_section { SECTION_PROXY, SECTION_TENANT };

#define OPTION_DEFAULT "default" /* the place of a value that nobody has set */

/* A setting, and where it was written. */
struct setting {
    const char *key, *value, *where;
    const char *folder; /* relative paths start there; either "" or with a '/' at the end */
};

/* How the file that an option names is used: see config_each_file(). */
enum option_file { OPTION_NO_FILE, OPTION_READS, OPTION_APPENDS, OPTION_APART };

/* When a changed value takes effect. */
enum option_reload {
    OPTION_AT_RELOAD, /* for new requests */
    OPTION_AT_START,  /* at the next start: see fixed.h */
};

struct option;
typedef enum status option_setter(const struct option *o, void *section, const struct setting *s,
                                  struct diag *why);

struct option {
    enum option_section section;
    const char *key; /* if it ends with '*', it is a prefix */
    option_setter *set;
    size_t offset;        /* of the value in struct config or struct tenant */
    const char *choices;  /* for choices: "text|json" */
    int64_t min, max;     /* for numbers */
    const char *fallback; /* the default, as it would be written; NULL: none */
    const char *example;  /* shown in the reference if there is no default */
    const char *type;     /* shown in the reference */
    const char *help;     /* one or two sentences */
    bool required, repeats;
    enum option_file file; /* the value is a path, stored as a char * at offset */
    enum option_reload reload;
};

const struct option *option_table(size_t *count);
const struct option *option_find(enum option_section section, const char *key);

/* The option's index in the table; key has to be a known one. */
size_t option_index(enum option_section section, const char *key);

/* Is the key a prefix, as in header.*? */
bool option_is_prefix(const struct option *o);

/* Frees the values of a struct config or struct tenant that consist of one text each. */
void option_free_texts(enum option_section section, void *values);

/* The known key that is most similar; NULL: none is similar. */
const char *option_nearest(enum option_section section, const char *key);

/* The same for both sections. */
const char *option_nearest_of_all(const char *key);

#endif
