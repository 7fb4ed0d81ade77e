/*
 * error_body_readers: one reader for each form of an error body. They find
 * texts and store them (error_body_members.h). Private to error_body*.c.
 */
#ifndef SF_ERROR_BODY_READERS_H
#define SF_ERROR_BODY_READERS_H

#include "sf/error_body.h"

/* How a reader has ended. */
enum error_read { ERROR_READ_ALL, ERROR_READ_CUT, ERROR_READ_BAD };

enum error_read error_body_read_json(struct error_body *b, struct slice content);
enum error_read error_body_read_xml(struct error_body *b, struct slice content);
enum error_read error_body_read_html(struct error_body *b, struct slice content);

#endif
