/*
 * fixed: the values, as written, of the options that take effect only when the
 * process starts (OPTION_AT_START). A reload compares them to report which
 * changes wait for the next start.
 */
#ifndef CONFIG_FIXED_H
#define CONFIG_FIXED_H

#include "config/option.h"

/* Remembers the value of an option if it is OPTION_AT_START. All values of a repeated option are
 * remembered. */
void fixed_note(struct config *c, const struct option *o, const char *value);

/* Calls differs with the key of each OPTION_AT_START option whose value is not the same in a and
 * b. */
void fixed_compare(const struct config *a, const struct config *b,
                   void (*differs)(const char *key));

void fixed_free(struct config *c);

#endif
