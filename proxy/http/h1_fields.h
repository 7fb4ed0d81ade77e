/*
 * h1_fields: the lines of a header or trailer section, one field each, read
 * strictly (RFC 9112, section 5). Part of h1_reader, whose contract says what is
 * refused.
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

/* Reads the fields into head. lines: each ended by CRLF, the last one too; none is empty.
 * is_answer: blanks before a colon are cut off if that changes nothing. */
enum h1_fields h1_read_fields(struct slice lines, bool is_answer, struct head *head,
                              const char **flaw) MUST_CHECK;

#endif
