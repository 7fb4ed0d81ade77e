/*
 * h1_reader: reads the head of an HTTP/1.x message strictly.
 *
 * This layer is the security boundary. It finds the end of the head, splits the
 * lines itself, and refuses whatever two readers could understand differently
 * (RFC 9112, 2.2, 3, 5 and 6). The head of a request is then given to
 * http-parser for a second opinion: both have to accept it. No other file uses
 * http-parser. tests/fuzz/response_head_fuzz.c checks that http-parser would
 * accept the answers too.
 *
 * A blank before the colon of a field is refused in requests. In answers it is
 * removed, but refused if the field frames the message or controls the
 * connection.
 *
 * Pure: it gets bytes and returns views into them; nothing is copied.
 */
#ifndef HTTP_H1_READER_H
#define HTTP_H1_READER_H

#include "base/fail.h"
#include "http/head.h"

struct h1_limits {
    size_t max_head;   /* bytes of the whole head */
    size_t max_target; /* bytes of the request target */
};

/* The progress of the search for the head's end; all zero before the first byte. */
struct h1_reader {
    size_t start;   /* offset of the start line, after empty lines */
    size_t scanned; /* the head does not end before this offset */
};

enum h1_result {
    /* Not complete yet: call again with the same bytes and further ones. */
    H1_MORE,
    H1_DONE,    /* *head is filled; *used bytes belong to it */
    H1_REFUSED, /* *why has the reason; the connection cannot be used any more */
};

/* Call it once in the process, before all other functions. */
void h1_reader_setup(void);

enum h1_result h1_read_request(struct h1_reader *r, const struct h1_limits *limits,
                               struct slice bytes, struct head *head, size_t *used,
                               struct failure *why) MUST_CHECK;
enum h1_result h1_read_response(struct h1_reader *r, const struct h1_limits *limits,
                                struct slice bytes, struct head *head, size_t *used,
                                struct failure *why) MUST_CHECK;

/* Reads the fields of a complete trailer section (lines with CRLF, without the empty line) into
 * head->fields. is_answer: blanks before colons are removed, as in an answer's head. Returns false
 * if the section is malformed or has too many fields. */
bool h1_read_trailers(struct slice section, bool is_answer, struct head *head) MUST_CHECK;

#endif
