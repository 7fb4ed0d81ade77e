/*
 * log: lines to stderr or a file, written by a thread of their own.
 *
 * A log that blocks (a full pipe, a dead disk) must never block the event
 * loop. So each thread that logs puts whole lines into a ring of its own
 * (one producer, one consumer, no lock), and one writer thread drains all
 * rings. A line that finds its ring full is dropped and counted, as is one
 * that the file does not take (log_sink.h); the count is written when there is
 * room again.
 *
 * Before log_start() and in threads without a ring, lines go to stderr at once.
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

/* Opens a file for the log in place of stderr; it is appended to, or made with mode 0640. Before
 * log_start(). */
enum status log_open(const char *path, struct diag *why) MUST_CHECK;

/* Could log_open() open it? Makes nothing, and writes nothing. */
enum status log_try(const char *path, struct diag *why) MUST_CHECK;

/* From now on log_say() writes errors and warnings only, to stderr, as a command does that ends
 * soon: "sfmtls: warning: ...". In place of log_start(). */
void log_tell_terminal(void);

/* Gives the file to that user, if log_open() made it. One that was there may be anybody's. */
void log_hand_over(uid_t user, gid_t group);

/* Starts the writer. Once per process. */
enum status log_start(enum log_format format, struct diag *why) MUST_CHECK;

/* Opens the file again, as after a rotation; keeps the old one if that fails. Any thread. */
void log_reopen(void);

/* Writes what is queued, for a second at most, and ends the writer. */
void log_stop(void);

/* Gives the calling thread its ring; it lasts as long as the process. */
void log_attach_thread(void);

/* Queues a whole line (its LF added); false if it was dropped. Never blocks. */
bool log_line(struct slice line);

/* One sentence about the program itself, with time and level, in the format of log_start(). */
const char *log_level_text(enum log_level level); /* "warning" */

void log_say(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);

/* Sentences beyond that level are dropped; LOG_NOTICE before the first call. Any thread. */
void log_set_level(enum log_level most);

extern _Atomic int log_most;

/* Is LOG_DEBUG written? */
static inline bool log_traces(void)
{
    return __builtin_expect(atomic_load_explicit(&log_most, memory_order_relaxed) >= LOG_DEBUG, 0);
}

/* One step of something that goes on; the arguments are evaluated only if it is written. */
#define LOG_TRACE(...)                                                                             \
    do {                                                                                           \
        if (log_traces())                                                                          \
            log_say(LOG_DEBUG, __VA_ARGS__);                                                       \
    } while (0)

/* How many lines were lost since the start, because a ring was full or the log was not writable. */
uint64_t log_lost(void);

#endif
