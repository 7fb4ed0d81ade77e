/*
 * status_text: what /status answers, for a terminal.
 */
#ifndef CLI_STATUS_TEXT_H
#define CLI_STATUS_TEXT_H

#include <stdbool.h>

/* Prints it to standard output; false: it is not a status. */
bool status_print(const char *json);

#endif
