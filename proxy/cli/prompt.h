/*
 * prompt: asks whoever sits at the terminal for a passphrase.
 */
#ifndef CLI_PROMPT_H
#define CLI_PROMPT_H

#include "base/buf.h"

/* Asks on /dev/tty, without echo, if the program runs in the foreground of a terminal; else *out
 * is left alone, so that a service never waits for somebody who is not there. The caller wipes
 * *out. A passphrase that was given for a path is remembered for the next time. */
void prompt_ask(void *ctx, const char *path, struct buf *out);

/* From now on only what is remembered is given: nobody waits for a question any more. */
void prompt_be_silent(void);

#endif
