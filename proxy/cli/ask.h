/*
 * ask: asks questions at the terminal, whose answers may be seen.
 */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include <stdbool.h>

/* Is there a terminal at which a person can be asked? */
bool ask_is_possible(void);

/* Asks, and reads a line without blanks around it. An empty line means fallback, unless fallback is
 * NULL. The user frees the result; NULL: the input has ended. */
char *ask_line(const char *question, const char *fallback);

#endif
