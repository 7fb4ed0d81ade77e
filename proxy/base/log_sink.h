/*
 * log_sink: writes the lines of the log to a file or stderr, and counts those
 * that it does not take.
 *
 * A full disk, a limit on the size of files or a closed pipe causes lines to be
 * lost. They are counted, and reported before the first line that can be
 * written again. A line that was cut in the middle is ended first, so that each
 * record begins on its own line.
 *
 * Belongs to one thread.
 */
#ifndef BASE_LOG_SINK_H
#define BASE_LOG_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/slice.h"

struct log_sink {
    int fd;
    char *path;     /* NULL: stderr */
    bool is_made;   /* the file did not exist before */
    bool is_torn;   /* the last line of the file is incomplete */
    uint64_t lost;  /* lines that could not be written and were not reported yet */
    uint64_t total; /* lines that could not be written since the start */
    int error;      /* errno of the last failure */
};

/* Writes the bytes to fd, and waits if necessary. Returns the number of bytes written; if that is
 * less than all, errno says why. */
size_t log_write(int fd, struct slice bytes);

/* Opens a file instead of stderr. An existing file is appended to; a new one gets mode 0640. */
enum status log_sink_open(struct log_sink *s, const char *path, struct diag *why) MUST_CHECK;

/* Could log_sink_open() open the file? Creates nothing. A pipe that has no reader (ENXIO) counts as
 * true, because log_sink_open() waits for the reader. */
enum status log_sink_try(const char *path, struct diag *why) MUST_CHECK;

/* Opens the file again, for example after a rotation. False: errno says why, and the old file stays
 * open. */
bool log_sink_reopen(struct log_sink *s);

/* Writes a report of lost lines (may be empty), then whole lines, which are given in count pieces
 * and may be split anywhere between them. True: the report was written, and s->lost was set to 0
 * before these lines. */
bool log_sink_write(struct log_sink *s, struct slice report, const struct slice *lines,
                    size_t count);

#endif
