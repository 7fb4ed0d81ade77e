/*
 * diag: one sentence for a person: what is wrong, where, and the cure.
 *
 * A value, usually on the caller's stack. Whoever returns a status other than
 * ST_OK has filled it. Never holds a secret.
 */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include <stdarg.h>

#include "base/status.h"

struct diag {
    char text[768];
};

/* Replaces the text; longer sentences lose their middle. What cannot be seen is
 * escaped (utf8.h), so that what a peer or a file said neither drives a terminal nor deceives. */
void diag_set(struct diag *d, const char *format, ...) PRINTF_LIKE(2, 3);
void diag_vset(struct diag *d, const char *format, va_list args) PRINTF_LIKE(2, 0);

/* Puts "<prefix>: " before the text that is there. */
void diag_prefix(struct diag *d, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
