#include "btp/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/path_guard.h"

enum { LEFT_S = 600 };

static const char prefix[] = ".sfmtls-", suffix[] = ".new";

enum status store_put(const char *path, struct slice bytes, char **temporary, struct diag *why)
{
    char *folder = path_folder(path);

    *temporary = mem_format("%s/%s%ld%s", folder, prefix, (long)getpid(), suffix);
    free(folder);
    (void)unlink(*temporary); /* left by a killed process with the same PID */
    enum status st = file_write_new(*temporary, bytes, 0600, why);
    if (st == ST_OK)
        return st;
    free(*temporary);
    *temporary = NULL;
    return st;
}

/* Makes sure that a renamed file survives a crash. */
static void sync_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    (void)fsync(fd);
    (void)close(fd);
}

enum status store_settle(char *temporary, const char *path, struct diag *why)
{
    sync_file(temporary);
    bool done = rename(temporary, path) == 0;

    if (!done) {
        diag_at(why, path, "cannot be replaced: %s; choose another path", strerror(errno));
        (void)unlink(temporary);
    }
    free(temporary);
    return done ? ST_OK : ST_SYSTEM;
}

void store_drop(char *temporary)
{
    if (temporary != NULL)
        (void)unlink(temporary);
    free(temporary);
}

/* Is it a temporary file that nobody is writing any more? */
static bool is_left(int folder, const char *name)
{
    struct stat st;
    size_t n = strlen(name);

    return fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           st.st_mtim.tv_sec < clock_wall_s() - LEFT_S && n > strlen(prefix) + strlen(suffix) &&
           strncmp(name, prefix, strlen(prefix)) == 0 &&
           strcmp(name + n - strlen(suffix), suffix) == 0;
}

void store_sweep(const char *folder)
{
    DIR *d = opendir(folder);
    int at = d == NULL ? -1 : dirfd(d);
    const struct dirent *e;

    while (at >= 0 && (e = readdir(d)) != NULL)
        if (is_left(at, e->d_name))
            (void)unlinkat(at, e->d_name, 0);
    if (d != NULL)
        (void)closedir(d);
}

/* ---- several processes ---- */

enum status store_mark(const char *path, int *mark, struct diag *why)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd >= 0 && pwrite(fd, "\n", 1, 0) == 1) {
        *mark = fd;
        return ST_OK;
    }
    diag_at(why, path, "cannot be written: %s", strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    return ST_SYSTEM;
}

/* Of the open file, so that it ends with the process. */
static void lock(int mark, short kind)
{
    struct flock whole = {.l_type = kind, .l_whence = SEEK_SET};

    while (fcntl(mark, F_OFD_SETLKW, &whole) != 0 && errno == EINTR)
        continue;
}

void store_enter(int mark)
{
    lock(mark, F_WRLCK);
}

void store_leave(int mark)
{
    lock(mark, F_UNLCK);
}

/* ---- what is there ---- */

enum status store_look(const char *path, const struct credential_files *files,
                       struct credential **out, struct diag *why)
{
    struct credential_files at = *files;

    at.certificate = path;
    at.private_key = NULL;
    at.allow_readable_key = true;
    enum status st = credential_inspect(&at, out, why);
    if (st != ST_OK && diag_is_at(why, path)) {
        struct diag whole = *why;
        diag_set(why, "%s", diag_sentence(&whole));
    }
    return st;
}

enum status store_judge(const struct credential *c, bool key_apart, struct diag *why)
{
    int64_t now = clock_wall_s();
    char date[CLOCK_TEXT_SIZE];
    size_t count;
    const struct finding *findings = credential_findings(c, &count);

    if (credential_not_after(c) < now) {
        clock_text_s(credential_not_after(c), date);
        diag_set(why, "it has expired on %.10s", date);
        return ST_BAD_INPUT;
    }
    if (!key_apart && credential_key_state(c) == CREDENTIAL_KEY_ABSENT) {
        diag_set(why, "there is no private key in it");
        return ST_MISMATCH;
    }
    for (size_t i = 0; i < count; i++) {
        if (findings[i].level == FINDING_ERROR && findings[i].about != ABOUT_DATES) {
            diag_set(why, "%s", findings[i].sentence);
            return ST_MISMATCH;
        }
    }
    return ST_OK;
}
