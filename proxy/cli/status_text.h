/*
 * status_text: shows the answer of /status at a terminal.
 */
#ifndef CLI_STATUS_TEXT_H
#define CLI_STATUS_TEXT_H

#include <stdbool.h>

/* Prints it to stdout. False: it is not such an answer. */
bool status_print(const char *json);

#endif
