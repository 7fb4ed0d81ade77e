/*
 * utf8: text that is safe to show: well-formed UTF-8 (RFC 3629) in which
 * nothing is hidden. Certificates, servers, callers and files bring text that
 * ends up in a log, in an answer or at a terminal; there a control character
 * is obeyed, and a format character changes what a person reads.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

/* The length of the character at the front of p, n > 0, and its code point; 0 if it is not UTF-8.
 */
size_t utf8_decode(const char *p, size_t n, uint32_t *code);

/* Is it a character that can be seen, or a blank? Not: control characters (Cc), format characters
 * and those that are not displayed (Cf, Default_Ignorable_Code_Point), line and paragraph
 * separators (Zl, Zp), noncharacters. */
bool utf8_is_visible(uint32_t code);

/* The length of the visible character at the front of p, n > 0; 0: there is none. */
size_t utf8_visible(const char *p, size_t n);

/* Whatever is not visible as \\uXXXX or \\UXXXXXXXX, a byte that is not UTF-8 as \\xXX. The caller
 * frees it. */
char *utf8_escape(const char *text);

/* Cuts off the mark that some editors put before UTF-8 text. */
void utf8_skip_mark(struct slice *text);

/* Does the text begin with the mark of UTF-16? */
bool utf8_is_16(struct slice text);

#endif
