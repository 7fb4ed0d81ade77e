/*
 * reader: a configuration file as a sequence of sections and settings.
 *
 * inih does the parsing; this reader feeds it line by line and refuses first
 * what inih would mangle: long lines (cut in two), indented lines (joined to
 * the one before), NUL, text after a section header, directories.
 */
#ifndef CONFIG_READER_H
#define CONFIG_READER_H

#include <stddef.h>

#include "base/diag.h"

/* Called in the order of the file; anything but ST_OK ends the reading. */
struct reader_sink {
    enum status (*on_section)(void *ctx, const char *name, int line, struct diag *why);
    enum status (*on_setting)(void *ctx, const char *key, const char *value, int line,
                              struct diag *why);
};

/* The sentences of the reader, and those of the sink, get "path:line: " before them. */
enum status reader_run(const char *path, const struct reader_sink *sink, void *ctx,
                       struct diag *why) MUST_CHECK;

/* A longer line, its end not counted, is refused. */
size_t reader_longest_line(void);

#endif
