/*
 * config_choice: the configuration that a command uses, from its options -c and --set.
 */
#ifndef CLI_CONFIG_CHOICE_H
#define CLI_CONFIG_CHOICE_H

#include <stdbool.h>

#include "config/config.h"

enum { OPT_SET = 1000 }; /* what getopt_long() returns for --set */

/* Rows of a table for getopt_long(). */
/* clang-format off */
#define CONFIG_CHOICE_OPTIONS                                                                      \
    {"config", required_argument, NULL, 'c'},                                                      \
    {"set", required_argument, NULL, OPT_SET}
/* clang-format on */

struct config_choice {
    const char *file; /* NULL: the default one */
    struct config_pair *pairs;
    size_t npairs;
    char **texts; /* the texts of the pairs */
    size_t ntexts;
};

/* Reads -c or --set. False: the value is wrong, and a sentence on stderr says so. */
bool config_choice_take(struct config_choice *c, const char *command, int option,
                        const char *value);

/* Adds a setting of the command line; all texts have to outlive c. */
void config_choice_add(struct config_choice *c, const char *key, const char *value,
                       const char *where);

/* Takes ownership of the text, which is freed with c. */
char *config_choice_keep(struct config_choice *c, char *text);

void config_choice_free(struct config_choice *c);

#endif
