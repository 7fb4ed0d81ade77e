/*
 * diag: a sentence for a person, which says what is wrong, where, and how to
 * cure it.
 *
 * A value, usually on the stack of the function that wants it. A function that
 * returns a status other than ST_OK has filled it in. It never contains a
 * secret.
 */
#ifndef BASE_DIAG_H
#define BASE_DIAG_H

#include <stdarg.h>
#include <stdbool.h>

#include "base/status.h"

/* Code never searches the sentence for words: what it has to decide by gets a member here. */
struct diag {
    char text[768]; /* everything, as it is shown */
    unsigned place; /* how many bytes of text name the place ("file:line"); 0: it names none */
};

/* Replaces the text, and forgets the place. A sentence that is too long loses its middle. Invisible
 * characters are escaped (utf8.h), so that the words of a peer or of a file can neither control a
 * terminal nor deceive a reader. */
void diag_set(struct diag *d, const char *format, ...) PRINTF_LIKE(2, 3);
void diag_vset(struct diag *d, const char *format, va_list args) PRINTF_LIKE(2, 0);

/* The same, with "<place>: " in front. The place is what the sentence is about: "file:line", a
 * file, or an option of the command line. */
void diag_at(struct diag *d, const char *place, const char *format, ...) PRINTF_LIKE(3, 4);
void diag_at_line(struct diag *d, const char *file, int line, const char *format, ...)
    PRINTF_LIKE(4, 5);

/* Puts a place in front of the text that is there. */
void diag_place(struct diag *d, const char *place);
void diag_place_line(struct diag *d, const char *file, int line);

/* Is that the place? If several were put in front, the outermost counts. */
bool diag_is_at(const struct diag *d, const char *place);

/* The text after the place. */
const char *diag_sentence(const struct diag *d);

#endif
