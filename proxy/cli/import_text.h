/*
 * import_text: lines of a configuration file, made from texts that cannot be
 * trusted.
 */
#ifndef CLI_IMPORT_TEXT_H
#define CLI_IMPORT_TEXT_H

#include "base/buf.h"
#include "base/diag.h"

/* Why `key = value` would not be read as it is written, or NULL. */
const char *import_text_flaw(const char *key, const char *value);

/* "; ..." in as many lines as it takes; what is not visible becomes '?'. */
void import_text_comment(struct buf *out, const char *format, ...) PRINTF_LIKE(2, 3);

/* A tenant's name made from any text: [A-Za-z0-9._-]{1,32}. number > 1 goes after it. */
enum { IMPORT_NAME_SIZE = 33 };
void import_text_name(const char *text, unsigned number, char out[IMPORT_NAME_SIZE]);

#endif
