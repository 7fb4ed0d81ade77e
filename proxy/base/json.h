/*
 * json: writes text as strings of JSON. The code that makes a document writes
 * the numbers, and the objects and arrays around them.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/buf.h"

/* Appends s as the inside of a JSON string (RFC 8259, 7). Invisible characters (utf8.h) are
 * escaped; bytes that are not UTF-8 become U+FFFD. */
void json_add(struct buf *b, struct slice s);

/* Appends a member of the JSON object that is being written, with a string as value. A comma goes
 * before it unless it is the first member. If value.p is NULL, the value is null. */
void json_add_member(struct buf *b, const char *name, struct slice value);

#endif
