/*
 * chars: the classes of bytes (RFC 9110, 5.6.2; RFC 9112; RFC 3986).
 */
#ifndef HTTP_CHARS_H
#define HTTP_CHARS_H

#include <stdbool.h>

#include "base/slice.h"

enum char_class {
    CHAR_TOKEN = 1,  /* tchar: in methods and field names */
    CHAR_VALUE = 2,  /* in a field value: HTAB, SP, VCHAR, obs-text */
    CHAR_TARGET = 4, /* in a request target, as it is */
    CHAR_ENCODE = 8, /* in a request target, percent-encoded */
    CHAR_HOST = 16,  /* in a host name: letters, digits, '-', '.', '_' */
};

extern const unsigned char char_classes[256];

static inline bool char_is(char c, unsigned classes)
{
    return (char_classes[(unsigned char)c] & classes) != 0;
}

/* Is each byte of s of one of the classes? True for an empty s. */
static inline bool chars_are(struct slice s, unsigned classes)
{
    for (size_t i = 0; i < s.n; i++)
        if (!char_is(s.p[i], classes))
            return false;
    return true;
}

/* The value of a hexadecimal digit, 0 to 15; otherwise -1. */
static inline int char_hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

#endif
