/*
 * complete: what can follow an unfinished command line, for the shells' completions
 * (conf/completion). It comes from the tables: the commands with their help, the options, the
 * API servers, the steps of `check`, the faults of `demo`, and the tenants of the configuration.
 */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

#include <stddef.h>

#include "cli/cli.h"

/* words: what follows `sfmtls`; the last one is unfinished and may be empty. Prints a line for each
 * candidate: the word, a tab, what it is. `:files` and `:folders` stand for those that the shell
 * finds. Returns EXIT_DONE. */
int complete_words(const struct command *const *commands, size_t count, int nwords, char **words);

#endif
