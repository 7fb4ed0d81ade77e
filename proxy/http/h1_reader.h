/*
 * h1_reader: the head of an HTTP/1.x message, read strictly.
 *
 * This layer is the security boundary. It finds the end of the head and splits
 * the lines itself and refuses whatever two readers could understand differently
 * (RFC 9112 sections 2.2, 3, 5 and 6). The head of a request then goes to
 * http-parser for a second opinion: both must accept. Nothing else of the program
 * knows http-parser; that it would accept the answers, too, is what
 * tests/fuzz/response_head_fuzz.c holds.
 *
 * Blanks before the colon of a field are refused in requests; in answers they
 * are cut off the name, but refused where the field frames the message or rules
 * the connection.
 *
 * Pure: bytes in, views out; nothing is copied.
 */
#ifndef HTTP_H1_READER_H
#define HTTP_H1_READER_H

#include "base/fail.h"
#include "http/head.h"

struct h1_limits {
    size_t max_head;   /* bytes of the whole head */
    size_t max_target; /* bytes of the request target */
};

/* How far the search for the head's end has come; all zero before the first byte. */
struct h1_reader {
    size_t start;   /* of the start line: after empty lines that come first */
    size_t scanned; /* the head does not end before this */
};

enum h1_result {
    H1_MORE,    /* not whole yet: call again with the same bytes and more after them */
    H1_DONE,    /* *head is filled, *used bytes belong to it */
    H1_REFUSED, /* *why says what is wrong; the connection cannot be used any more */
};

/* Once per process, before any other call. */
void h1_reader_setup(void);

enum h1_result h1_read_request(struct h1_reader *r, const struct h1_limits *limits,
                               struct slice bytes, struct head *head, size_t *used,
                               struct failure *why) MUST_CHECK;
enum h1_result h1_read_response(struct h1_reader *r, const struct h1_limits *limits,
                                struct slice bytes, struct head *head, size_t *used,
                                struct failure *why) MUST_CHECK;

/* Reads the fields of a complete trailer section (lines with CRLF, without the empty line) into
 * head->fields. is_answer: blanks before colons are cut off, as in an answer's head. False if it is
 * not well-formed or has too many fields. */
bool h1_read_trailers(struct slice section, bool is_answer, struct head *head) MUST_CHECK;

#endif
