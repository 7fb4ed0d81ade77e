#include "net/acceptor.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/inherit.h"

enum { BACKLOG = 1024, PAUSE_MS = 200, TELL_AGAIN_MS = 60 * 1000, LAST_LOW_PORT = 1023 };

struct acceptor {
    int fd;
    struct address at;
    /* Identify a Unix socket's file, so that acceptor_close() removes only our own. */
    dev_t device;
    ino_t inode;
    bool inherited; /* whoever made the socket also made its file and set its mode */
    struct address_access access;
    struct loop *loop;
    struct event incoming;
    struct timer pause;
    int64_t told_at; /* loop_now() when a pause was last logged; 0: never */
    /* How many connections to take at once: as many as came the last time, and more if that was
     * all of the batch. */
    int batch;
    acceptor_hook *on_accept;
    void *ctx;
};

/* True if nobody serves the socket. Only a refusal shows that: a socket of another user may not
 * even be asked. */
static bool is_stale(const struct address *at)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool stale = fd >= 0 && connect(fd, &at->any, at->length) != 0 && errno == ECONNREFUSED;

    if (fd >= 0)
        (void)close(fd);
    return stale;
}

/* *there: path exists and is a socket. */
static enum status check_socket(const char *path, bool *there, struct diag *why)
{
    struct stat st;

    /* if it does not exist or cannot be seen, bind() reports that */
    *there = lstat(path, &st) == 0;
    if (!*there || S_ISSOCK(st.st_mode))
        return ST_OK;
    diag_set(why, "%s exists and is not a socket; remove it or choose another path", path);
    return ST_BAD_INPUT;
}

static enum status clear_stale_socket(const struct address *at, struct diag *why)
{
    const char *path = at->local.sun_path;
    bool there;
    enum status st = check_socket(path, &there, why);

    if (st != ST_OK || !there)
        return st;
    if (!is_stale(at)) {
        diag_set(why, "%s is served by another process; stop it or choose another path", path);
        return ST_BAD_INPUT;
    }
    (void)unlink(path);
    return ST_OK;
}

static int bind_quietly(int fd, const struct address *at)
{
    mode_t old = umask(0177); /* so a Unix socket has mode 0600 from the beginning */
    int result = bind(fd, &at->any, at->length);

    (void)umask(old);
    return result;
}

static void explain_bind(const struct address *at, int error, const struct address_access *access,
                         struct diag *why)
{
    const int port = address_port(at); /* 0: a Unix socket */
    const bool is_low = port > 0 && port <= LAST_LOW_PORT;
    char text[ADDRESS_TEXT_SIZE];

    address_text(at, text);
    if (error == EADDRINUSE)
        diag_set(why,
                 "cannot listen on %s: the port is taken; stop the other program or choose "
                 "another port",
                 text);
    else if (error == EACCES && is_low && access != NULL && access->low_ports_given_up)
        diag_set(why,
                 "cannot listen on %s: the right to ports below 1024 was given up after the "
                 "start; restart sfmtls",
                 text);
    else if (error == EACCES)
        diag_set(why,
                 "cannot listen on %s: not allowed; choose a port above 1023 or a folder you "
                 "may write to",
                 text);
    else if (error == ENOENT)
        diag_set(why, "cannot listen on %s: its folder is not there; create it", text);
    else
        diag_set(why, "cannot listen on %s: %s; choose another address", text, strerror(error));
}

static void set_options(int fd, const struct address *at)
{
    int on = 1;

    if (address_is_unix(at))
        return;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    /* accepted sockets inherit it */
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (at->any.sa_family == AF_INET6)
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
}

static enum status refuse_access(const char *path, struct diag *why)
{
    diag_set(why,
             "cannot set mode and group of %s: %s; correct socket-mode and socket-group, or let "
             "sfmtls run as a member of that group",
             path, strerror(errno));
    return ST_SYSTEM;
}

/* Sets mode and group. group -1: the group stays. A descriptor is used, so that the file is the one
 * that was checked, even if its name leads elsewhere now. In between the access is never wider than
 * before and after. If something fails, the mode becomes what it was. */
static enum status set_access(int file, const char *path, mode_t mode, gid_t group,
                              struct diag *why)
{
    struct stat before;
    char name[64];

    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", file);
    if (fstat(file, &before) != 0 || chmod(name, before.st_mode & mode & 0777) != 0)
        return refuse_access(path, why);
    if ((group == (gid_t)-1 || group == before.st_gid ||
         fchownat(file, "", (uid_t)-1, group, AT_EMPTY_PATH) == 0) &&
        chmod(name, mode) == 0)
        return ST_OK;
    enum status st = refuse_access(path, why);
    (void)chmod(name, before.st_mode & 0777);
    return st;
}

static enum status try_socket_file(const struct address *at, const struct address_access *access,
                                   struct diag *why)
{
    const char *path = at->local.sun_path;
    bool there;
    enum status st = check_socket(path, &there, why);

    if (st != ST_OK)
        return st;
    if (!file_can_make(path, (gid_t)-1)) {
        explain_bind(at, errno, access, why);
        return ST_SYSTEM;
    }
    if (access != NULL && access->has_group && !file_can_make(path, access->group))
        return refuse_access(path, why);
    return ST_OK;
}

enum status acceptor_try(const struct address *at, const struct address_access *access,
                         struct diag *why)
{
    if (inherit_find(at) >= 0)
        return ST_OK;
    if (address_is_unix(at))
        return try_socket_file(at, access, why);
    int fd = socket(at->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0)
        set_options(fd, at);
    bool can = fd >= 0 && (bind_quietly(fd, at) == 0 || errno == EADDRINUSE);
    if (!can)
        explain_bind(at, errno, access, why);
    if (fd >= 0)
        (void)close(fd);
    return can ? ST_OK : ST_SYSTEM;
}

enum status acceptor_permit(struct acceptor *a, const struct address_access *access,
                            struct diag *why)
{
    const struct address_access before = a->access;
    const char *path = a->at.local.sun_path;
    struct stat st;

    if (!address_is_unix(&a->at) || a->inherited ||
        (access->mode == before.mode && access->has_group == before.has_group &&
         access->group == before.group))
        return ST_OK;
    int file = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (file < 0)
        return refuse_access(path, why);
    bool ours = fstat(file, &st) == 0 && st.st_dev == a->device && st.st_ino == a->inode &&
                S_ISSOCK(st.st_mode) && st.st_uid == geteuid();
    if (!ours)
        errno = ENOENT;
    const gid_t group = access->has_group  ? access->group
                        : before.has_group ? getegid()
                                           : (gid_t)-1;
    enum status result =
        ours ? set_access(file, path, access->mode, group, why) : refuse_access(path, why);
    if (result == ST_OK)
        a->access = *access;
    (void)close(file);
    return result;
}

static const struct address_access owner_only = {.mode = 0600};

static enum status adopt(int inherited, const struct address *at, struct acceptor **out,
                         struct diag *why)
{
    int fd = fcntl(inherited, F_DUPFD_CLOEXEC, 0);

    if (fd < 0) {
        explain_bind(at, errno, NULL, why);
        return ST_SYSTEM;
    }
    set_options(fd, at);
    *out = NEW(struct acceptor);
    (*out)->fd = fd;
    (*out)->at = *at;
    (*out)->inherited = true;
    return ST_OK;
}

enum status acceptor_open(const struct address *at, const struct address_access *access,
                          struct acceptor **out, struct diag *why)
{
    const int inherited = inherit_find(at);
    struct stat st;

    if (inherited >= 0)
        return adopt(inherited, at, out, why);
    if (address_is_unix(at)) {
        enum status cleared = clear_stale_socket(at, why);
        if (cleared != ST_OK)
            return cleared;
    }
    int fd = socket(at->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0)
        set_options(fd, at);
    if (fd < 0 || bind_quietly(fd, at) != 0) {
        explain_bind(at, errno, access, why);
        if (fd >= 0)
            (void)close(fd);
        return ST_SYSTEM;
    }
    struct acceptor *a = NEW(struct acceptor);
    a->fd = fd;
    a->at = *at;
    a->access = owner_only;
    if (address_is_unix(at) && lstat(at->local.sun_path, &st) == 0) {
        a->device = st.st_dev;
        a->inode = st.st_ino;
    } else {
        a->at.length = sizeof(a->at.storage);
        (void)getsockname(fd, &a->at.any, &a->at.length);
    }
    /* nobody can connect before listen() */
    enum status result = acceptor_permit(a, access == NULL ? &owner_only : access, why);
    if (result == ST_OK && listen(fd, BACKLOG) != 0) {
        explain_bind(at, errno, access, why);
        result = ST_SYSTEM;
    }
    if (result == ST_OK)
        *out = a;
    else
        acceptor_close(a);
    return result;
}

/* Descriptors or memory have run out: takes no connections for PAUSE_MS. */
static void pause_accepting(struct acceptor *a, int error)
{
    int64_t now = loop_now(a->loop);

    if (a->told_at == 0 || now - a->told_at >= TELL_AGAIN_MS) {
        log_say(LOG_WARNING, "new connections wait: %s; %s", strerror(error),
                error == EMFILE || error == ENFILE
                    ? "raise the limit of open files (ulimit -n, LimitNOFILE=)"
                    : "this machine is out of memory");
        a->told_at = now;
    }
    (void)event_del(&a->incoming);
    timer_start(a->loop, &a->pause, PAUSE_MS);
}

static void on_pause_over(void *ctx)
{
    struct acceptor *a = ctx;

    (void)event_add(&a->incoming, NULL);
}

static bool is_one_that_left(int error)
{
    return error == ECONNABORTED || error == EINTR;
}

/* Accepts at most n connections and passes them to on_accept. Returns how many. errno is 0 if there
 * may be more, otherwise it says why there are no more. */
static int take(struct acceptor *a, int n)
{
    struct accepted all[ACCEPTED_MAX];
    int got = 0, error = 0;

    for (int i = 0; i < n && error == 0; i++) {
        struct accepted *one = &all[got];
        one->from.length = sizeof(one->from.storage);
        one->fd = accept4(a->fd, &one->from.any, &one->from.length, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (one->fd >= 0)
            got++;
        else if (!is_one_that_left(errno))
            error = errno;
    }
    if (got > 0)
        a->on_accept(a->ctx, all, (size_t)got);
    errno = error;
    return got;
}

static void on_incoming(evutil_socket_t fd, short what, void *arg)
{
    struct acceptor *a = arg;
    const int wanted = a->batch;

    (void)fd;
    (void)what;
    int got = take(a, wanted), error = errno;
    if (address_is_shortage(error))
        pause_accepting(a, error);
    if (got == wanted)
        a->batch = got * 2 < ACCEPTED_MAX ? got * 2 : ACCEPTED_MAX;
    else if (!address_is_shortage(error))
        a->batch = got > 0 ? got : 1;
}

void acceptor_take_waiting(struct acceptor *a)
{
    int taken = 0;

    if (a->loop == NULL || a->inherited)
        return;
    do
        taken += take(a, ACCEPTED_MAX);
    while (errno == 0 && taken < BACKLOG);
}

void acceptor_start(struct acceptor *a, struct loop *l, acceptor_hook *on_accept, void *ctx)
{
    a->loop = l;
    a->on_accept = on_accept;
    a->ctx = ctx;
    a->batch = 1;
    timer_init(&a->pause, on_pause_over, a);
    (void)event_assign(&a->incoming, loop_base(l), a->fd, EV_READ | EV_PERSIST, on_incoming, a);
    (void)event_add(&a->incoming, NULL);
}

void acceptor_retarget(struct acceptor *a, void *ctx)
{
    a->ctx = ctx;
}

const struct address *acceptor_address(const struct acceptor *a)
{
    return &a->at;
}

void acceptor_close(struct acceptor *a)
{
    struct stat st;

    if (a->loop != NULL) {
        (void)event_del(&a->incoming);
        timer_stop(&a->pause);
    }
    (void)close(a->fd);
    a->fd = -1;
    if (address_is_unix(&a->at) && !a->inherited && stat(a->at.local.sun_path, &st) == 0 &&
        st.st_dev == a->device && st.st_ino == a->inode)
        (void)unlink(a->at.local.sun_path);
    if (a->loop != NULL)
        loop_bury(a->loop, a, free);
    else
        free(a);
}
