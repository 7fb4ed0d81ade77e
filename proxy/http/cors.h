/*
 * cors: what a browser asks and wants to be told before it lets a page read
 * the answers of another origin (Fetch, 3.2). Which origins may is for
 * others to say.
 */
#ifndef HTTP_CORS_H
#define HTTP_CORS_H

#include "http/edit.h"

/* Of an answer that is the same for every caller, but not for every page. */
#define CORS_VARY "Vary: Origin\r\n"

/* Is the request a preflight: OPTIONS with Access-Control-Request-Method? */
bool cors_is_preflight(const struct head *request);

/* Appends the fields, each ended by CRLF, by which a page of that origin may read an answer. */
void cors_add_fields(struct buf *out, const char *origin);

/* Appends the whole answer to a preflight of a page that may call; fields: those from above. */
void cors_write_preflight(struct buf *out, const struct head *request, const char *fields,
                          enum persistence persistence, int64_t wall_us);

/* Brings an origin (RFC 6454, 6.2), scheme://host[:port], into the form in which browsers send it;
 * false if it is none. The caller frees *out. */
bool cors_parse_origin(struct slice text, char **out) MUST_CHECK;

#endif
