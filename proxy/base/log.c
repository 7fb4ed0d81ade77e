#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/diag.h"
#include "base/json.h"
#include "base/log_sink.h"
#include "base/mem.h"
#include "base/thread.h"

enum {
    RING_SIZE = 256 * 1024,
    MAX_RINGS = 256,
    LINGER_MS = 50,
    STOP_MS = 1000,
    TELL_AGAIN_US = 60 * 1000 * 1000,
};

/* Positions only grow; a position's index in bytes[] is the position modulo RING_SIZE. */
struct ring {
    _Atomic uint64_t written; /* set by the thread that owns the ring */
    _Atomic uint64_t read;    /* set by the writer thread */
    _Atomic uint64_t dropped;
    uint64_t dropped_told;
    char bytes[RING_SIZE];
};

static struct {
    struct log_sink file; /* used only by the writer thread, once that runs */
    int wake;
    uint64_t late;         /* lines that found a ring full and were not reported yet */
    int64_t told_us;       /* when stderr was last told that the file takes no lines; 0: never */
    _Atomic uint64_t lost; /* lines lost since the start, for any reason */
    enum log_format format;
    bool terminal;
    pthread_t thread;
    _Atomic bool running, asleep, hurried, reopen, stop;
    _Atomic int nrings;
    struct ring *_Atomic rings[MAX_RINGS];
    pthread_mutex_t done_lock;
    pthread_cond_t done_cond;
    bool done;
} sink = {.file.fd = STDERR_FILENO, .wake = -1, .done_lock = PTHREAD_MUTEX_INITIALIZER};

_Atomic int log_most = LOG_NOTICE;

static _Thread_local struct ring *my_ring;

static void wake_writer(void)
{
    uint64_t one = 1;

    if (write(sink.wake, &one, sizeof(one)) < 0)
        return; /* the counter is full, so the writer is awake */
}

static const char *level_text(enum log_level level)
{
    static const char *const names[] = {[LOG_ERROR] = "error",
                                        [LOG_WARNING] = "warning",
                                        [LOG_NOTICE] = "notice",
                                        [LOG_DEBUG] = "debug"};

    return names[level];
}

static void format_line(struct buf *b, enum log_level level, struct slice text)
{
    char now[CLOCK_TEXT_SIZE];

    clock_text(clock_wall_us(), now);
    if (sink.format == LOG_JSON) {
        buf_addf(b, "{\"time\":\"%s\",\"level\":\"%s\",\"message\":\"", now, level_text(level));
        json_add(b, text);
        buf_add_string(b, "\"}");
    } else {
        buf_addf(b, "%s %s: ", now, level_text(level));
        buf_add_slice(b, text);
    }
}

static void add_loss(struct buf *b, uint64_t lines, const char *why, const char *error)
{
    char *text;

    if (lines == 0)
        return;
    text = mem_format("%llu log lines were lost because the log could not be written%s%s",
                      (unsigned long long)lines, why, error);
    format_line(b, LOG_WARNING, slice_of(text));
    buf_add_string(b, "\n");
    free(text);
}

/* Formats a sentence about the log itself as a line. */
static void format_own(struct buf *b, const struct diag *text)
{
    format_line(b, LOG_ERROR, slice_of(text->text));
    buf_add_string(b, "\n");
}

/* Says on stderr that the log cannot be written, because the log itself cannot say it. */
static void tell_unwritable(void)
{
    int64_t now = clock_monotonic_us();
    struct buf line = {0};
    struct diag text;

    if (sink.file.path == NULL || (sink.told_us != 0 && now - sink.told_us < TELL_AGAIN_US))
        return;
    sink.told_us = now;
    diag_set(&text,
             "the log %s cannot be written: %s; lines are lost, and counted, until it can: make "
             "room on its disk, raise the limit on the size of files, or rotate it",
             sink.file.path, strerror(sink.file.error));
    format_own(&line, &text);
    (void)log_write(STDERR_FILENO, buf_slice(&line));
    buf_free(&line);
}

/* Writes the report of lost lines first, then these lines. */
static void put(const struct slice *lines, size_t count)
{
    uint64_t total = sink.file.total;
    struct buf report = {0};

    add_loss(&report, sink.file.lost, ": ", strerror(sink.file.error));
    add_loss(&report, sink.late, " in time", "");
    if (log_sink_write(&sink.file, buf_slice(&report), lines, count))
        sink.late = 0;
    buf_free(&report);
    atomic_fetch_add_explicit(&sink.lost, sink.file.total - total, memory_order_relaxed);
    if (sink.file.total != total)
        tell_unwritable();
}

static void note_late(struct ring *r)
{
    uint64_t dropped = atomic_load_explicit(&r->dropped, memory_order_relaxed);

    if (dropped == r->dropped_told)
        return;
    sink.late += dropped - r->dropped_told;
    atomic_fetch_add_explicit(&sink.lost, dropped - r->dropped_told, memory_order_relaxed);
    r->dropped_told = dropped;
    put(NULL, 0);
}

static bool drain(struct ring *r)
{
    uint64_t from = atomic_load_explicit(&r->read, memory_order_relaxed);
    uint64_t to = atomic_load_explicit(&r->written, memory_order_acquire);
    size_t at = from % RING_SIZE, n = (size_t)(to - from);
    size_t first = n < RING_SIZE - at ? n : RING_SIZE - at;

    if (n == 0)
        return false;
    put((struct slice[]){{r->bytes + at, first}, {r->bytes, n - first}}, 2);
    atomic_store_explicit(&r->read, to, memory_order_release);
    note_late(r);
    return true;
}

static bool drain_all(void)
{
    bool any = false;

    for (int i = 0; i < atomic_load(&sink.nrings); i++) {
        struct ring *r = atomic_load(&sink.rings[i]);
        if (r != NULL)
            any |= drain(r);
    }
    return any;
}

/* Reports that the old file stays in use: in that file, which may have been deleted, and on
 * stderr. */
static void tell_kept_file(int error)
{
    struct buf line = {0};
    struct diag text;

    diag_set(&text,
             "the log %s cannot be opened again: %s; what was open stays in use: let sfmtls make "
             "files in that folder, which has to be the same as at start",
             sink.file.path, strerror(error));
    format_own(&line, &text);
    put((struct slice[]){buf_slice(&line)}, 1);
    (void)log_write(STDERR_FILENO, buf_slice(&line));
    buf_free(&line);
}

static void reopen_file(void)
{
    if (sink.file.path != NULL && !log_sink_reopen(&sink.file))
        tell_kept_file(errno);
}

static void wait_for_lines(int timeout_ms)
{
    uint64_t count;

    if (poll(&(struct pollfd){sink.wake, POLLIN, 0}, 1, timeout_ms) > 0 &&
        read(sink.wake, &count, sizeof(count)) < 0)
        return;
}

/* Gathers lines for LINGER_MS, so that a busy proxy writes many lines at once. A producer wakes the
 * writer earlier only when its ring is half full. */
static void *writer_main(void *arg)
{
    (void)arg;
    for (;;) {
        bool stop = atomic_load(&sink.stop);
        if (atomic_exchange(&sink.reopen, false))
            reopen_file();
        if (drain_all() && !stop) {
            atomic_store(&sink.hurried, false);
            wait_for_lines(LINGER_MS);
            continue;
        }
        if (stop)
            break;
        atomic_store(&sink.asleep, true);
        if (!drain_all() && !atomic_load(&sink.stop) && !atomic_load(&sink.reopen))
            wait_for_lines(-1);
        atomic_store(&sink.asleep, false);
    }
    (void)pthread_mutex_lock(&sink.done_lock);
    sink.done = true;
    (void)pthread_cond_signal(&sink.done_cond);
    (void)pthread_mutex_unlock(&sink.done_lock);
    return NULL;
}

enum status log_try(const char *path, struct diag *why)
{
    return log_sink_try(path, why);
}

enum status log_open(const char *path, struct diag *why)
{
    return log_sink_open(&sink.file, path, why);
}

void log_hand_over(uid_t user, gid_t group)
{
    if (sink.file.is_made && fchown(sink.file.fd, user, group) != 0)
        log_say(LOG_WARNING, "the log cannot be handed over: %s", strerror(errno));
}

uint64_t log_lost(void)
{
    return atomic_load_explicit(&sink.lost, memory_order_relaxed);
}

enum status log_start(enum log_format format, struct diag *why)
{
    pthread_condattr_t monotonic;

    assert(!atomic_load(&sink.running));
    sink.format = format;
    sink.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&sink.done_cond, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    if (sink.wake < 0 || !thread_start(&sink.thread, writer_main, NULL)) {
        diag_set(why, "cannot start the log writer: %s", strerror(errno));
        return ST_SYSTEM;
    }
    atomic_store(&sink.running, true);
    log_attach_thread();
    return ST_OK;
}

void log_reopen(void)
{
    if (!atomic_load(&sink.running))
        return;
    atomic_store(&sink.reopen, true);
    wake_writer();
}

void log_stop(void)
{
    struct timespec until;

    if (!atomic_exchange(&sink.running, false))
        return;
    atomic_store(&sink.stop, true);
    wake_writer();
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += STOP_MS / 1000;
    (void)pthread_mutex_lock(&sink.done_lock);
    int late = 0;
    while (!sink.done && late == 0)
        late = pthread_cond_timedwait(&sink.done_cond, &sink.done_lock, &until);
    bool done = sink.done;
    (void)pthread_mutex_unlock(&sink.done_lock);
    if (done)
        (void)pthread_join(sink.thread, NULL);
    else
        /* the thread hangs in a write, and the process is about to end */
        (void)pthread_detach(sink.thread);
}

void log_attach_thread(void)
{
    if (my_ring != NULL)
        return;
    int i = atomic_fetch_add(&sink.nrings, 1);
    assert(i < MAX_RINGS);
    my_ring = mem_new(sizeof(*my_ring));
    atomic_store(&sink.rings[i], my_ring);
}

static void ring_copy(struct ring *r, uint64_t at, const char *p, size_t n)
{
    size_t place = at % RING_SIZE;
    size_t first = n < RING_SIZE - place ? n : RING_SIZE - place;

    memcpy(r->bytes + place, p, first);
    memcpy(r->bytes, p + first, n - first);
}

bool log_line(struct slice line)
{
    struct ring *r = my_ring;

    if (r == NULL || !atomic_load_explicit(&sink.running, memory_order_relaxed)) {
        char *whole = mem_format("%.*s\n", (int)line.n, line.p);
        (void)log_write(STDERR_FILENO, (struct slice){whole, line.n + 1});
        free(whole);
        return true;
    }
    uint64_t at = atomic_load_explicit(&r->written, memory_order_relaxed);
    uint64_t used = at - atomic_load_explicit(&r->read, memory_order_acquire);
    if (line.n + 1 > RING_SIZE - used) {
        atomic_fetch_add_explicit(&r->dropped, 1, memory_order_relaxed);
        return false;
    }
    ring_copy(r, at, line.p, line.n);
    ring_copy(r, at + line.n, "\n", 1);
    /* sequentially consistent with the load of `asleep` */
    atomic_store(&r->written, at + line.n + 1);
    if (atomic_load(&sink.asleep)) {
        if (atomic_exchange(&sink.asleep, false))
            wake_writer();
    } else if (used > RING_SIZE / 2 && !atomic_exchange(&sink.hurried, true)) {
        wake_writer();
    }
    return true;
}

void log_set_level(enum log_level most)
{
    atomic_store_explicit(&log_most, (int)most, memory_order_relaxed);
}

void log_tell_terminal(void)
{
    sink.terminal = true;
}

void log_say(enum log_level level, const char *format, ...)
{
    struct diag text;
    struct buf b = {0};
    char sentence[sizeof(text.text)];
    va_list args;

    if ((int)level > atomic_load_explicit(&log_most, memory_order_relaxed))
        return;
    va_start(args, format);
    (void)vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    diag_set(&text, "%s", sentence);
    if (sink.terminal) {
        if (level <= LOG_WARNING)
            (void)fprintf(stderr, "sfmtls: %s: %s\n", level_text(level), text.text);
        return;
    }
    format_line(&b, level, slice_of(text.text));
    (void)log_line(buf_slice(&b));
    buf_free(&b);
}
