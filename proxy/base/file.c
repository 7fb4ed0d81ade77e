#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path_guard.h"

static enum status read_fd(int fd, const char *path, size_t max, struct buf *out, struct diag *why)
{
    struct stat st;

    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        diag_at(why, path, "is a directory; name a file");
        return ST_BAD_INPUT;
    }
    /* large enough for FILE_MAX: content that may be secret must not be moved */
    out->p = mem_new(FILE_MAX + 1);
    out->cap = FILE_MAX + 1;
    while (out->n <= max) {
        if (out->n == out->cap)
            buf_reserve(out, 1);
        ssize_t got = read(fd, out->p + out->n, out->cap - out->n);
        if (got == 0) {
            return ST_OK;
        } else if (got > 0) {
            out->n += (size_t)got;
        } else if (errno != EINTR) {
            diag_at(why, path, "cannot be read: %s; check the disk", strerror(errno));
            return ST_BAD_INPUT;
        }
    }
    diag_at(why, path, "is larger than %zu MiB; name the right file", max >> 20);
    return ST_BAD_INPUT;
}

static enum status read_whole(int fd, const char *path, size_t max, struct buf *out,
                              struct diag *why)
{
    enum status st = read_fd(fd, path, max, out, why);

    if (st != ST_OK) {
        file_wipe(out);
        return st;
    }
    if (out->n == out->cap)
        buf_reserve(out, 1);
    out->p[out->n] = '\0';
    return st;
}

enum status file_read_stdin(struct buf *out, struct diag *why)
{
    return read_whole(STDIN_FILENO, "standard input", FILE_MAX, out, why);
}

enum status file_read(const char *path, struct buf *out, struct diag *why)
{
    return file_read_up_to(path, FILE_MAX, out, why);
}

enum status file_read_up_to(const char *path, size_t max, struct buf *out, struct diag *why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (fd < 0) {
        diag_at(why, path, "cannot be opened: %s; check the path and its permissions",
                strerror(errno));
        return ST_BAD_INPUT;
    }
    enum status st = read_whole(fd, path, max, out, why);
    (void)close(fd);
    return st;
}

void file_wipe(struct buf *b)
{
    if (b->p != NULL)
        explicit_bzero(b->p, b->n);
    buf_free(b);
}

/* Makes a file without a name and closes it. Some file systems cannot do that; then the permission
 * is checked instead. */
static bool can_make_in(const char *folder, gid_t group)
{
    int fd = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR))
        return access(folder, W_OK | X_OK) == 0;
    if (fd < 0)
        return false;
    bool can = group == (gid_t)-1 || fchown(fd, (uid_t)-1, group) == 0;
    int error = errno;
    (void)close(fd);
    errno = error;
    return can;
}

bool file_can_make(const char *path, gid_t group)
{
    char target[PATH_MAX];
    ssize_t n = readlink(path, target, sizeof(target) - 1);
    char *folder = path_folder(path);
    bool can;

    if (n > 0) {
        target[n] = '\0';
        char *next = *target == '/' ? mem_copy_string(target) : mem_format("%s/%s", folder, target);
        can = file_can_make(next, group);
        free(next);
    } else {
        can = can_make_in(folder, group);
    }
    int error = errno;
    free(folder);
    errno = error;
    return can;
}

static bool write_all(int fd, struct slice bytes)
{
    while (bytes.n > 0) {
        ssize_t w = write(fd, bytes.p, bytes.n);
        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return false;
        bytes.p += w;
        bytes.n -= (size_t)w;
    }
    return true;
}

enum status file_write_new(const char *path, struct slice bytes, mode_t mode, struct diag *why)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

    if (fd < 0) {
        diag_at(why, path, "cannot be created: %s; choose another path", strerror(errno));
        return ST_BAD_INPUT;
    }
    bool ok = write_all(fd, bytes);
    ok = close(fd) == 0 && ok;
    if (!ok) {
        diag_at(why, path, "cannot be written: %s; make room or choose another path",
                strerror(errno));
        (void)unlink(path);
        return ST_SYSTEM;
    }
    return ST_OK;
}

enum status file_append(const char *path, struct slice bytes, struct diag *why)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    bool ok = fd >= 0 && write_all(fd, bytes);

    if (fd >= 0)
        ok = close(fd) == 0 && ok;
    if (ok)
        return ST_OK;
    diag_at(why, path, "cannot be written: %s; let its owner do this, or choose another path",
            strerror(errno));
    return ST_BAD_INPUT;
}

/* ---- whether it has changed ---- */

static void add_time(struct buf *out, const struct timespec *t)
{
    buf_addf(out, "%lld.%09ld ", (long long)t->tv_sec, t->tv_nsec);
}

void file_add_mark(struct buf *out, const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0) {
        buf_addf(out, "%d\n", errno);
        return;
    }
    buf_addf(out, "%llu %llu %lld %o ", (unsigned long long)st.st_dev,
             (unsigned long long)st.st_ino, (long long)st.st_size, (unsigned)st.st_mode);
    add_time(out, &st.st_mtim);
    add_time(out, &st.st_ctim);
    buf_add(out, "\n", 1);
}
