/*
 * diag: one sentence for a person: what is wrong, where, and the cure.
 *
 * A value, usually on the caller's stack. Whoever returns a status other than
 * ST_OK has filled it. Never holds a secret.
 */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include <stdarg.h>
#include <stdbool.h>

#include "base/status.h"

/* Nobody searches the sentence for words: what a caller decides by gets a member here. */
struct diag {
    char text[768]; /* the whole, as it is shown */
    unsigned place; /* bytes of text that name the place ("file:line"); 0: none is named */
};

/* Replaces the text, and forgets the place; longer sentences lose their middle. What cannot be seen
 * is escaped (utf8.h), so that what a peer or a file said neither drives a terminal nor deceives.
 */
void diag_set(struct diag *d, const char *format, ...) PRINTF_LIKE(2, 3);
void diag_vset(struct diag *d, const char *format, va_list args) PRINTF_LIKE(2, 0);

/* The same, with "<place>: " before it. A place is what the sentence is about: "file:line", a file,
 * an option of the command line. */
void diag_at(struct diag *d, const char *place, const char *format, ...) PRINTF_LIKE(3, 4);
void diag_at_line(struct diag *d, const char *file, int line, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* Puts a place before the whole text that is there. */
void diag_place(struct diag *d, const char *place);
void diag_place_line(struct diag *d, const char *file, int line);

/* Is that the place (the outermost one)? */
bool diag_is_at(const struct diag *d, const char *place);

/* The text after the place. */
const char *diag_sentence(const struct diag *d);

#endif
