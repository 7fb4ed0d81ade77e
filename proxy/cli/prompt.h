/*
 * prompt: asks for a passphrase at the terminal.
 */
#ifndef CLI_PROMPT_H
#define CLI_PROMPT_H

#include "base/buf.h"

/* Appends the passphrase for path to *out, which the user has to wipe. Asks on /dev/tty, without
 * echo, if the program runs in the foreground of a terminal. Otherwise *out stays as it is, so that
 * a service never waits for a person. Typed passphrases are remembered. */
void prompt_ask(void *ctx, const char *path, struct buf *out);

/* From now on only remembered passphrases are used, and nothing is asked. */
void prompt_be_silent(void);

#endif
