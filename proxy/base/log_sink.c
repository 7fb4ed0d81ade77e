#include "base/log_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

enum { LOG_FLAGS = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, LOG_MODE = 0640 };

size_t log_write(int fd, struct slice bytes)
{
    size_t taken = 0;

    while (taken < bytes.n) {
        ssize_t w = write(fd, bytes.p + taken, bytes.n - taken);
        if (w >= 0)
            taken += (size_t)w;
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            (void)poll(&(struct pollfd){fd, POLLOUT, 0}, 1, -1);
        else if (errno != EINTR)
            break;
    }
    return taken;
}

/* ---- the file ---- */

/* Does the file end in the middle of a line? Its last writer may have been cut off by a full disk
 * or by its own end. unknown: the result if the file cannot be read. */
static bool ends_torn(const char *path, const struct stat *st, bool unknown)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    char last = '\n';

    if (fd < 0)
        return unknown;
    bool torn = pread(fd, &last, 1, st->st_size - 1) == 1 && last != '\n';
    (void)close(fd);
    return torn;
}

/* Sets is_torn for the file that is open now. before: the file that was open before. */
static void note_end(struct log_sink *s, const struct stat *before)
{
    struct stat st;

    if (fstat(s->fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0) {
        s->is_torn = false;
        return;
    }
    bool same = before->st_dev == st.st_dev && before->st_ino == st.st_ino;
    s->is_torn = ends_torn(s->path, &st, same && s->is_torn);
}

static enum status explain_open(const char *path, struct diag *why)
{
    diag_at(why, path, "cannot open the log file: %s; check the path and its permissions",
            strerror(errno));
    return ST_BAD_INPUT;
}

enum status log_sink_try(const char *path, struct diag *why)
{
    int fd = open(path, (LOG_FLAGS & ~O_CREAT) | O_NONBLOCK);

    if (fd >= 0)
        (void)close(fd);
    else if (errno != ENXIO && (errno != ENOENT || !file_can_make(path, (gid_t)-1)))
        return explain_open(path, why);
    return ST_OK;
}

enum status log_sink_open(struct log_sink *s, const char *path, struct diag *why)
{
    int fd = open(path, LOG_FLAGS | O_EXCL, LOG_MODE);

    s->is_made = fd >= 0;
    if (fd < 0)
        fd = open(path, LOG_FLAGS, LOG_MODE);
    if (fd < 0)
        return explain_open(path, why);
    s->fd = fd;
    s->path = mem_copy_string(path);
    note_end(s, &(struct stat){0});
    return ST_OK;
}

bool log_sink_reopen(struct log_sink *s)
{
    int fd = open(s->path, LOG_FLAGS, LOG_MODE);
    struct stat before = {0};

    if (fd < 0)
        return false;
    (void)fstat(s->fd, &before);
    (void)dup3(fd, s->fd, O_CLOEXEC);
    (void)close(fd);
    note_end(s, &before);
    return true;
}

/* ---- lines ---- */

/* Returns the number of bytes that were written. */
static size_t put(struct log_sink *s, struct slice bytes)
{
    size_t taken = log_write(s->fd, bytes);

    if (taken < bytes.n)
        s->error = errno;
    if (taken > 0)
        s->is_torn = bytes.p[taken - 1] != '\n';
    return taken;
}

/* Ends a torn line, so that the next record begins a line, and writes the report. */
static bool put_front(struct log_sink *s, struct slice report)
{
    if (s->is_torn && put(s, SLICE("\n")) == 0)
        return false;
    if (put(s, report) < report.n)
        return false;
    s->lost = 0;
    return true;
}

static uint64_t count_lines(struct slice s)
{
    uint64_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += s.p[i] == '\n';
    return n;
}

bool log_sink_write(struct log_sink *s, struct slice report, const struct slice *lines,
                    size_t count)
{
    bool reported = put_front(s, report), takes = reported;
    uint64_t lost = 0;

    for (size_t i = 0; i < count; i++) {
        size_t taken = takes ? put(s, lines[i]) : 0;
        struct slice rest = {lines[i].p + taken, lines[i].n - taken};
        if (takes && rest.n > 0 && *rest.p == '\n' && s->is_torn)
            /* only the LF of this line is missing, and put_front() adds it later */
            rest = (struct slice){rest.p + 1, rest.n - 1};
        takes = takes && taken == lines[i].n;
        lost += count_lines(rest);
    }
    s->lost += lost;
    s->total += lost;
    return reported;
}
