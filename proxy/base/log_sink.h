/*
 * log_sink: where the lines of the log go, a file or stderr, and what becomes
 * of those that it does not take.
 *
 * A full disk, a limit on the size of files or a closed pipe loses lines. They
 * are counted, and reported before the first line that is taken again. A line
 * that was cut in the middle is ended first, so that each record begins on a
 * line of its own.
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
    bool is_made;   /* the file was not there before */
    bool is_torn;   /* its last line is not whole */
    uint64_t lost;  /* lines that it did not take, and that were not reported yet */
    uint64_t total; /* the same since the start */
    int error;      /* errno of the last one */
};

/* Writes all of it to fd, waiting if need be; the number of bytes that were taken, errno if these
 * are not all. */
size_t log_write(int fd, struct slice bytes);

/* Opens a file in place of stderr; it is appended to, or made with mode 0640. */
enum status log_sink_open(struct log_sink *s, const char *path, struct diag *why) MUST_CHECK;

/* Could log_sink_open() open the file? Nothing is made. A pipe without a reader (ENXIO) can, for it
 * is waited for. */
enum status log_sink_try(const char *path, struct diag *why) MUST_CHECK;

/* Opens the file again, as after a rotation; false: errno says why, and the old one stays. */
bool log_sink_reopen(struct log_sink *s);

/* Writes a report of what was lost (empty: there is none), then whole lines, which may be cut
 * anywhere between the count pieces. True if the report is out: s->lost counts from 0 again. */
bool log_sink_write(struct log_sink *s, struct slice report, const struct slice *lines,
                    size_t count);

#endif
