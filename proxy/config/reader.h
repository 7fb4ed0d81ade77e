/*
 * reader: reads a configuration file as a sequence of sections and settings.
 *
 * inih does the parsing. This reader passes it one line at a time, and first
 * refuses what inih would garble: long lines (inih cuts them in two), indented
 * lines (inih joins them to the line before), NUL, text after a section header,
 * and directories.
 */
#ifndef CONFIG_READER_H
#define CONFIG_READER_H

#include <stddef.h>

#include "base/diag.h"

/* Called in the order of the file. If one returns anything but ST_OK, reading ends. */
struct reader_sink {
    enum status (*on_section)(void *ctx, const char *name, int line, struct diag *why);
    enum status (*on_setting)(void *ctx, const char *key, const char *value, int line,
                              struct diag *why);
};

/* Sentences of the reader and of the sink get "path:line: " in front. */
enum status reader_run(const char *path, const struct reader_sink *sink, void *ctx,
                       struct diag *why) MUST_CHECK;

/* The longest line that is accepted, in bytes without its end. */
size_t reader_longest_line(void);

#endif
