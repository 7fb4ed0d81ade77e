/*
 * cors: what a browser asks and needs to know before a web page may read the
 * answers of another origin (Fetch, 3.2). Others decide which origins may.
 */
#ifndef HTTP_CORS_H
#define HTTP_CORS_H

#include "http/edit.h"

/* For answers that are the same for all callers, but not for all pages. */
#define CORS_VARY "Vary: Origin\r\n"

/* Is the request a preflight: OPTIONS with Access-Control-Request-Method? */
bool cors_is_preflight(const struct head *request);

/* Appends the fields, with CRLF, that allow a page of that origin to read an answer. */
void cors_add_fields(struct buf *out, const char *origin);

/* Appends the whole answer to a preflight of a page that may call. fields: those of
 * cors_add_fields(). */
void cors_write_preflight(struct buf *out, const struct head *request, const char *fields,
                          enum persistence persistence, int64_t wall_us);

/* Writes an origin (RFC 6454, 6.2), scheme://host[:port], in the form that browsers send. Returns
 * false if text is not an origin. The user frees *out. */
bool cors_parse_origin(struct slice text, char **out) MUST_CHECK;

#endif
