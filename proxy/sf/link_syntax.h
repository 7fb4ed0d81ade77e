/*
 * link_syntax: the two syntaxes in which links are searched for.
 */
#ifndef SF_LINK_SYNTAX_H
#define SF_LINK_SYNTAX_H

#include <stdbool.h>

#include "base/slice.h"

enum link_syntax { LINK_JSON, LINK_XML };

/* JSON or XML, by the media type without parameters? False: neither. */
bool link_syntax_of(struct slice media_type, enum link_syntax *out);

/* Is it white space in JSON (RFC 8259, 2) and XML (2.3)? That includes line ends. */
static inline bool link_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* s without blanks and line ends at both ends. */
struct slice link_trim(struct slice s);

#endif
