#include "ops/reload.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/thread.h"

enum {
    SETTLE_MS = 50,     /* wait after a change, because several files change together */
    RETRY_MS = 100,     /* time between two tries */
    PATIENCE_MS = 2000, /* how long to try after the last change */
    /* How often to look at the files if changes are not reported or if nothing can be used. */
    LOOK_MS = 5000,
    STOP_S = 5,
};

struct reloader {
    struct reload_hooks hooks;
    pthread_t thread;
    int wake; /* eventfd */
    atomic_bool stopping;

    char **files;
    size_t nfiles;
    int watch; /* inotify; -1: cannot be used */

    /* The state of the files when they were tried last. */
    struct buf seen;
    int64_t changed; /* when that was noticed (monotonic, ms) */
    int64_t due;     /* when to load (monotonic, ms); 0: nothing to do */
    /* Until then inotify is ignored, because the folders may be busy. */
    int64_t deaf;
    struct diag told; /* the last failure, which is reported only once */
};

static int64_t now_ms(void)
{
    return clock_monotonic_us() / 1000;
}

/* ---- files ---- */

static void add_file(void *ctx, const char *path)
{
    struct reloader *r = ctx;

    r->files = mem_grow(r->files, (r->nfiles + 1) * sizeof(char *));
    r->files[r->nfiles++] = mem_copy_string(path);
}

static void watch_folder(const struct reloader *r, const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder =
        slash == NULL ? mem_copy_string(".") : mem_copy_bytes(path, (size_t)(slash - path + 1));

    (void)inotify_add_watch(r->watch, folder,
                            IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE |
                                IN_ATTRIB);
    free(folder);
}

/* Watches the folder that the path names, and the folder where the file really is. */
static void watch_file(const struct reloader *r, const char *path)
{
    char *real = realpath(path, NULL);

    watch_folder(r, path);
    if (real != NULL)
        watch_folder(r, real);
    free(real);
}

static void forget_files(struct reloader *r)
{
    for (size_t i = 0; i < r->nfiles; i++)
        free(r->files[i]);
    free(r->files);
    r->files = NULL;
    r->nfiles = 0;
    if (r->watch >= 0)
        (void)close(r->watch);
}

static void follow(struct reloader *r, const struct config *c)
{
    forget_files(r);
    config_each_file(c, add_file, r);
    r->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    for (size_t i = 0; r->watch >= 0 && i < r->nfiles; i++)
        watch_file(r, r->files[i]);
}

static void look_at_files(const struct reloader *r, struct buf *out)
{
    for (size_t i = 0; i < r->nfiles; i++)
        file_add_mark(out, r->files[i]);
}

/* Have the files changed since the last call? Notes their state. */
static bool have_changed(struct reloader *r)
{
    struct buf now = {0};

    look_at_files(r, &now);
    bool same = slice_eq(buf_slice(&now), buf_slice(&r->seen));
    buf_free(&r->seen);
    r->seen = now;
    return !same;
}

/* ---- loading ---- */

static void note_change(struct reloader *r)
{
    r->changed = now_ms();
    if (r->due == 0 || r->due > r->changed + SETTLE_MS)
        r->due = r->changed + SETTLE_MS;
}

/* After PATIENCE_MS the failure is reported once, and trying goes on: the configuration may name a
 * file that comes later. */
static void try_again(struct reloader *r, const struct diag *why)
{
    if (now_ms() - r->changed < PATIENCE_MS) {
        r->due = now_ms() + RETRY_MS;
        return;
    }
    r->due = now_ms() + LOOK_MS;
    if (strcmp(why->text, r->told.text) == 0)
        return;
    r->told = *why;
    r->hooks.on_failed(r->hooks.ctx, why);
}

/* Accepts only regular files. A pipe could be read at the start, but reading it again could block
 * forever. */
static enum status check_files(const struct reloader *r, struct diag *why)
{
    for (size_t i = 0; i < r->nfiles; i++) {
        struct stat st;
        if (stat(r->files[i], &st) != 0 || S_ISREG(st.st_mode))
            continue;
        diag_at(why, r->files[i], "is not a regular file, which cannot be loaded again; name one");
        return ST_BAD_INPUT;
    }
    return ST_OK;
}

/* Watches the files of the loaded configuration. They may have changed since it was loaded. */
static void follow_loaded(struct reloader *r, const struct config *c)
{
    follow(r, c);
    buf_free(&r->seen);
    config_add_marks(c, &r->seen);
    if (have_changed(r))
        note_change(r);
}

static void load(struct reloader *r)
{
    struct config *c;
    struct diag why;

    r->due = 0;
    if (have_changed(r))
        r->changed = now_ms();
    if (check_files(r, &why) != ST_OK || r->hooks.load(r->hooks.ctx, &c, &why) != ST_OK) {
        try_again(r, &why);
        return;
    }
    r->told.text[0] = '\0';
    follow_loaded(r, c);
    r->hooks.on_loaded(r->hooks.ctx, c);
}

static void empty(int fd)
{
    char room[4096];

    while (read(fd, room, sizeof(room)) > 0)
        continue;
}

static int wait_ms(const struct reloader *r)
{
    int64_t now = now_ms(), left = r->due == 0 ? LOOK_MS : r->due - now;

    if (r->deaf > now && r->deaf - now < left)
        left = r->deaf - now;
    return left < 0 ? 0 : left > LOOK_MS ? LOOK_MS : (int)left;
}

static void *thread_main(void *arg)
{
    struct reloader *r = arg;

    log_attach_thread();
    while (!atomic_load(&r->stopping)) {
        struct pollfd fds[] = {{.fd = r->wake, .events = POLLIN},
                               {.fd = r->watch, .events = POLLIN}};
        bool deaf = r->watch < 0 || now_ms() < r->deaf;
        (void)poll(fds, deaf ? 1 : 2, wait_ms(r));
        bool told = fds[0].revents != 0;
        if (told) {
            empty(r->wake);
            r->told.text[0] = '\0';
        }
        if (fds[1].revents != 0) {
            empty(r->watch);
            r->deaf = now_ms() + SETTLE_MS;
        }
        if (told || have_changed(r))
            note_change(r);
        if (r->due != 0 && now_ms() >= r->due && !atomic_load(&r->stopping))
            load(r);
    }
    return NULL;
}

/* ---- life ---- */

struct reloader *reloader_start(const struct config *c, const struct reload_hooks *hooks)
{
    struct reloader *r = NEW(struct reloader);

    r->hooks = *hooks;
    r->watch = -1;
    r->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    follow_loaded(r, c);
    if (r->wake >= 0 && thread_start(&r->thread, thread_main, r))
        return r;
    forget_files(r);
    buf_free(&r->seen);
    free(r);
    return NULL;
}

void reloader_wake(struct reloader *r)
{
    uint64_t one = 1;

    if (write(r->wake, &one, sizeof(one)) < 0)
        return; /* the counter is full, so the thread will wake */
}

bool reloader_stop(struct reloader *r)
{
    struct timespec limit;

    atomic_store(&r->stopping, true);
    reloader_wake(r);
    (void)clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += STOP_S;
    if (pthread_timedjoin_np(r->thread, NULL, &limit) != 0)
        return false;
    forget_files(r);
    (void)close(r->wake);
    buf_free(&r->seen);
    free(r);
    return true;
}
