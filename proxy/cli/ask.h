/*
 * ask: questions to whoever sits at the terminal, with answers that may be seen.
 */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include <stdbool.h>

/* Is somebody there who can read a question and answer it? */
bool ask_is_possible(void);

/* Asks, and reads a line without blanks around it. An empty one means fallback, unless that is
 * NULL. The caller frees it; NULL: there is no more input. */
char *ask_line(const char *question, const char *fallback);

#endif
