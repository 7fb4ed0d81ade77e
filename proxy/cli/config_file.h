/*
 * config_file: where a command finds its configuration if it is not told: in a
 * default file, and in the environment.
 */
#ifndef CLI_CONFIG_FILE_H
#define CLI_CONFIG_FILE_H

#include "cli/config_choice.h"

/* The sources of a command: the chosen file, or the one that is found, the environment and the
 * command line. *found is NULL before; the caller frees it. ST_BAD_INPUT: there are none. */
enum status config_file_sources(const struct config_choice *choice, struct config_sources *out,
                                char **found, struct diag *why) MUST_CHECK;

/* Loads them with all that they name. */
enum status config_file_load(const struct config_choice *choice, struct config **out,
                             struct diag *why) MUST_CHECK;

/* The same as config_load_names_from() loads it: what it names stays closed. */
enum status config_file_load_names(const struct config_choice *choice, struct config **out,
                                   struct diag *why) MUST_CHECK;

/* The same as config_load_admin_from() loads it. */
enum status config_file_load_admin(const struct config_choice *choice, struct config **out,
                                   struct diag *why) MUST_CHECK;

/* The same as config_load_flawed() loads it, without a local CA. */
enum status config_file_load_flawed(const struct config_choice *choice, struct config **out,
                                    struct diag *why) MUST_CHECK;

#endif
