/*
 * config_file: where the configuration is when nobody says so: in a file, and in the environment.
 */
#ifndef CLI_CONFIG_FILE_H
#define CLI_CONFIG_FILE_H

#include "config/config.h"

/* The sources of a command: that file, or the one that is found if file is NULL, and the
 * environment. *found is NULL before; the caller frees it. ST_BAD_INPUT: there are none; *out can
 * be used nevertheless, by whoever has other settings. */
enum status config_file_sources(const char *file, struct config_sources *out, char **found,
                                struct diag *why) MUST_CHECK;

/* Loads that file, or the one that is found if file is NULL, with all that it names. */
enum status config_file_load(const char *file, struct config **out, struct diag *why) MUST_CHECK;

/* The same as config_load_names_from() loads it: what it names stays closed. */
enum status config_file_load_names(const char *file, struct config **out,
                                   struct diag *why) MUST_CHECK;

/* The same as config_load_flawed() loads it, without a local CA. */
enum status config_file_load_flawed(const char *file, struct config **out,
                                    struct diag *why) MUST_CHECK;

#endif
