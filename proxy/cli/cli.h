/*
 * cli: what all commands share: their description, error messages, exit codes.
 * Results go to stdout, everything else to stderr.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/buf.h"
#include "base/diag.h"

enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1, /* the job failed */
    /* The command line or the configuration is wrong, or `run` could not start. */
    EXIT_USAGE = 2,
};

struct command {
    const char *name;
    const char *synopsis;              /* one line for each form, after "sfmtls NAME" */
    const char *summary;               /* for the list of commands */
    const char *help;                  /* the options, and further explanations */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
};

/* Prints "sfmtls: sentence" to stderr. Returns EXIT_FAILED for ST_SYSTEM, otherwise EXIT_USAGE. */
int cli_error(enum status st, const struct diag *why);

/* Prints "sfmtls: " and the text as a line to stderr; invisible characters are escaped. */
void cli_say(const char *format, ...) PRINTF_LIKE(1, 2);

/* Appends "NAME     value" as a line; invisible characters are escaped. */
void cli_add_line(struct buf *out, const char *name, const char *value);

/* Prints what is wrong with the command line, and where to find help. Returns EXIT_USAGE. */
int cli_usage(const char *command, const char *format, ...) PRINTF_LIKE(2, 3);

/* Prints what getopt_long() has found wrong. Returns EXIT_USAGE. */
struct option;
int cli_bad_option(const char *command, int option, char **argv, const struct option *options);

/* The name by which the program was called, so that printed commands can be copied. */
const char *cli_program(void);

int cli_help_of(const struct command *c); /* for --help; returns EXIT_DONE */

#endif
