/*
 * utf8: text that is safe to show: valid UTF-8 without control characters.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

/* The length of the visible character (or blank) at the front of p, n > 0; 0 if what stands there
 * is a control character (C0, DEL, C1: a terminal would obey them) or no UTF-8 (RFC 3629). */
size_t utf8_visible(const char *p, size_t n);

/* The code point of the character at p that has that length, as utf8_visible() says. */
uint32_t utf8_code(const char *p, size_t length);

/* Cuts off the mark that some editors put before UTF-8 text. */
void utf8_skip_mark(struct slice *text);

/* Does the text begin with the mark of UTF-16? */
bool utf8_is_16(struct slice text);

#endif
