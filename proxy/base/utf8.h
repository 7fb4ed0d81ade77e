/*
 * utf8: text that is safe to show: well-formed UTF-8 (RFC 3629) without
 * anything hidden. Certificates, servers, callers and files bring text into
 * logs, answers and terminals. There, control characters are obeyed, and format
 * characters change what a person reads.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

/* The length of the character at the start of p (n > 0), and its code point; 0: it is not UTF-8. */
size_t utf8_decode(const char *p, size_t n, uint32_t *code);

/* Is the character visible, or a blank? The following are not: control characters (Cc), format
 * characters (Cf) and others that are not displayed (Default_Ignorable_Code_Point), line and
 * paragraph separators (Zl, Zp), noncharacters. */
bool utf8_is_visible(uint32_t code);

/* The length of the visible character at the start of p (n > 0); 0: there is none. */
size_t utf8_visible(const char *p, size_t n);

/* Copies text; what is not visible becomes \uXXXX or \UXXXXXXXX, and a byte that is not UTF-8
 * becomes \xXX. The user frees it. */
char *utf8_escape(const char *text);

/* Removes the byte order mark that some editors put in front of UTF-8 text. */
void utf8_skip_mark(struct slice *text);

/* Does the text begin with the byte order mark of UTF-16? */
bool utf8_is_16(struct slice text);

#endif
