/*
 * slice: a view of bytes that something else owns; a value, which is never
 * freed.
 */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *p;
    size_t n;
};

#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})

static inline struct slice slice_of(const char *s)
{
    return (struct slice){s, s == NULL ? 0 : strlen(s)};
}

static inline bool slice_eq(struct slice a, struct slice b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Only ASCII letters are folded, independent of the locale: HTTP and DNS compare names that way. */
bool slice_eq_nocase(struct slice a, struct slice b);
bool slice_ends_nocase(struct slice s, struct slice tail);

/* Removes blanks and tabs at both ends (OWS of RFC 9110, 5.6.3). */
static inline struct slice slice_trim(struct slice s)
{
    while (s.n > 0 && (*s.p == ' ' || *s.p == '\t'))
        s.p++, s.n--;
    while (s.n > 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

/* Returns the part of s before the first c, and cuts it and the c off s. Without a c, returns all
 * of s. */
struct slice slice_split(struct slice *s, char c);

/* Is it one digit or more, and nothing else? */
bool slice_is_number(struct slice s);

/* Reads all of s as a decimal number. False: s is empty, has another character or exceeds max. */
bool slice_to_u64(struct slice s, uint64_t max, uint64_t *out);

#endif
