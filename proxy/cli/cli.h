/*
 * cli: what the commands have in common: how they are described, what they say
 * about errors, how they end. Results go to stdout, everything else to stderr.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/buf.h"
#include "base/diag.h"

enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1, /* the job failed */
    EXIT_USAGE = 2,  /* the command line or the configuration is wrong, or `run` could not begin */
};

struct command {
    const char *name;
    const char *synopsis;              /* one line for each form, after "sfmtls NAME" */
    const char *summary;               /* for the list of commands */
    const char *help;                  /* the options, and what else is to be known */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name */
};

/* "sfmtls: sentence" on stderr; returns EXIT_USAGE, or EXIT_FAILED for what the system refused. */
int cli_error(enum status st, const struct diag *why);

/* "sfmtls: " and what cannot be seen escaped, as a line on stderr. */
void cli_say(const char *format, ...) PRINTF_LIKE(1, 2);

/* "NAME     value" with what cannot be seen escaped, as a line. */
void cli_add_line(struct buf *out, const char *name, const char *value);

/* The sentence for a wrong command line, and where help is; returns EXIT_USAGE. */
int cli_usage(const char *command, const char *format, ...) PRINTF_LIKE(2, 3);

/* What getopt_long() found wrong, as a sentence; returns EXIT_USAGE. */
struct option;
int cli_bad_option(const char *command, int option, char **argv, const struct option *options);

/* How the program was called, so that what is printed can be copied. */
const char *cli_program(void);

int cli_help_of(const struct command *c); /* for --help; returns EXIT_DONE */

#endif
