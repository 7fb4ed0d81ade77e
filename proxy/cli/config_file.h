/*
 * config_file: where a command finds its configuration if it is not told: in a
 * default file, and in the environment.
 */
#ifndef CLI_CONFIG_FILE_H
#define CLI_CONFIG_FILE_H

#include "cli/config_choice.h"

/* The sources of a command's configuration: the chosen file (else the default one), the environment
 * and the command line. *found: the default file's path, to be freed; NULL before the call.
 * ST_BAD_INPUT: there are no sources. */
enum status config_file_sources(const struct config_choice *choice, struct config_sources *out,
                                char **found, struct diag *why) MUST_CHECK;

/* Loads the configuration, with all files that it names. */
enum status config_file_load(const struct config_choice *choice, struct config **out,
                             struct diag *why) MUST_CHECK;

/* The same by config_load_names_from(), which does not open the files that it names. */
enum status config_file_load_names(const struct config_choice *choice, struct config **out,
                                   struct diag *why) MUST_CHECK;

/* The same by config_load_admin_from(). */
enum status config_file_load_admin(const struct config_choice *choice, struct config **out,
                                   struct diag *why) MUST_CHECK;

/* The same by config_load_flawed(), without a local CA. */
enum status config_file_load_flawed(const struct config_choice *choice, struct config **out,
                                    struct diag *why) MUST_CHECK;

#endif
