/*
 * h1_fields: reads the lines of a header or trailer section strictly, one field
 * for each (RFC 9112, 5). Part of h1_reader, whose header says what is refused.
 */
#ifndef HTTP_H1_FIELDS_H
#define HTTP_H1_FIELDS_H

#include "base/status.h"
#include "http/head.h"

enum h1_fields {
    H1_FIELDS_READ,
    H1_FIELDS_TOO_MANY,
    H1_FIELDS_MALFORMED, /* *flaw says what is wrong */
};

/* Reads the fields into head. lines: each ends with CRLF; none is empty. is_answer: blanks before a
 * colon are removed if that cannot change the meaning. */
enum h1_fields h1_read_fields(struct slice lines, bool is_answer, struct head *head,
                              const char **flaw) MUST_CHECK;

#endif
