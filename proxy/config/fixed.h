/*
 * fixed: options that take effect at the next start only (OPTION_AT_START), as
 * they were written. A reload compares them, to say which of them wait.
 */
#ifndef CONFIG_FIXED_H
#define CONFIG_FIXED_H

#include "config/option.h"

/* Remembers the value of an option, if it is such a one; repeated options are remembered whole. */
void fixed_note(struct config *c, const struct option *o, const char *value);

/* Calls for the key of each such option whose value differs between the two. */
void fixed_compare(const struct config *a, const struct config *b,
                   void (*differs)(const char *key));

void fixed_free(struct config *c);

#endif
