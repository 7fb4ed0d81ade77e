/*
 * complete: what can follow an unfinished command line, for the completions of
 * shells (conf/completion). It uses the tables of the program: commands with
 * their help, options, API servers, steps of `check`, faults of `demo`, and the
 * configured tenants.
 */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

#include <stddef.h>

#include "cli/cli.h"

/* words: what follows `sfmtls`; the last one is unfinished and may be empty. Prints a line for each
 * candidate: the word, a tab, an explanation. `:files` and `:folders` ask the shell to offer those.
 * Returns EXIT_DONE. */
int complete_words(const struct command *const *commands, size_t count, int nwords, char **words);

#endif
