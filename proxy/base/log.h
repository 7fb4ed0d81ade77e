/*
 * log: writes lines to stderr or a file, in a thread of its own.
 *
 * A log that blocks (a full pipe, a dead disk) must never block the event loop.
 * So each thread that logs puts whole lines into a ring of its own (one
 * producer, one consumer, no lock), and one writer thread empties all rings. A
 * line is dropped and counted if its ring is full, or if the file does not take
 * it (log_sink.h). The count is written when there is room again.
 *
 * Before log_start(), and in threads without a ring, lines go to stderr at
 * once.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/slice.h"
#include "base/diag.h"

enum log_level { LOG_ERROR, LOG_WARNING, LOG_NOTICE, LOG_DEBUG };
enum log_format { LOG_TEXT, LOG_JSON };

/* Opens a file for the log instead of stderr. An existing file is appended to; a new one gets mode
 * 0640. Call it before log_start(). */
enum status log_open(const char *path, struct diag *why) MUST_CHECK;

/* Could log_open() open the file? Neither makes nor writes anything. */
enum status log_try(const char *path, struct diag *why) MUST_CHECK;

/* For commands that end soon, instead of log_start(): log_say() then writes only errors and
 * warnings, to stderr ("sfmtls: warning: ..."). */
void log_tell_terminal(void);

/* Makes that user and group the owner of the file if log_open() created it. An existing file may be
 * somebody else's, so it is left alone. */
void log_hand_over(uid_t user, gid_t group);

/* Starts the writer thread. Call it once per process. */
enum status log_start(enum log_format format, struct diag *why) MUST_CHECK;

/* Opens the file again, for example after a rotation. If that fails, the old file stays in use. Any
 * thread may call it. */
void log_reopen(void);

/* Writes what is queued (for one second at most), and ends the writer thread. */
void log_stop(void);

/* Gives the calling thread its ring, which is never freed. */
void log_attach_thread(void);

/* Queues a line, and adds its LF. False: it was dropped. Never blocks. */
bool log_line(struct slice line);

/* Logs a sentence about the program itself, with time and level, in the format of log_start(). */

void log_say(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);

/* Drops all sentences beyond that level; the default is LOG_NOTICE. Any thread may call it. */
void log_set_level(enum log_level most);

extern _Atomic int log_most;

/* Are sentences of LOG_DEBUG written? */
static inline bool log_traces(void)
{
    return __builtin_expect(atomic_load_explicit(&log_most, memory_order_relaxed) >= LOG_DEBUG, 0);
}

/* Logs one step of an operation. The arguments are evaluated only if it is written. */
#define LOG_TRACE(...)                                                                             \
    do {                                                                                           \
        if (log_traces())                                                                          \
            log_say(LOG_DEBUG, __VA_ARGS__);                                                       \
    } while (0)

/* The number of lines lost since the start because a ring was full or the log could not be
 * written. */
uint64_t log_lost(void);

#endif
