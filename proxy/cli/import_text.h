/*
 * import_text: makes lines of a configuration file from texts that cannot be
 * trusted.
 */
#ifndef CLI_IMPORT_TEXT_H
#define CLI_IMPORT_TEXT_H

#include "base/buf.h"
#include "base/diag.h"

/* Why `key = value` would be read differently from how it is written; NULL: it would not. */
const char *import_text_flaw(const char *key, const char *value);

/* Appends "; ..." in as many lines as needed; invisible characters become '?'. */
void import_text_comment(struct buf *out, const char *format, ...) PRINTF_LIKE(2, 3);

/* Makes a tenant's name from any text: [A-Za-z0-9._-]{1,32}. If number > 1, it is appended. */
enum { IMPORT_NAME_SIZE = 33 };
void import_text_name(const char *text, unsigned number, char out[IMPORT_NAME_SIZE]);

#endif
