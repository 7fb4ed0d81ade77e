/*
 * json: text written as strings of JSON. Objects and arrays around them, and
 * numbers, are written by whoever makes the document.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/buf.h"

/* As the inside of a JSON string (RFC 8259, 7). What cannot be seen (utf8.h) is escaped, bytes that
 * are no UTF-8 become U+FFFD. */
void json_add(struct buf *b, struct slice s);

/* A string member of the JSON object that is being written, with a comma before it unless it is the
 * first. A value without bytes (p NULL) is null. */
void json_add_member(struct buf *b, const char *name, struct slice value);

#endif
