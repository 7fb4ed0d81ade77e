#include "ops/user.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "ops/harden.h"

/* ---- which user ---- */

enum status user_find(const struct config *c, struct user *out, struct diag *why)
{
    *out = (struct user){.uid = geteuid(), .gid = getegid()};
    if (c->user == NULL)
        return ST_OK;
    const struct passwd *p = getpwnam(c->user);
    if (p == NULL) {
        diag_at(why, config_where(c, "user"),
                "user: there is no user %s on this machine; make one with useradd "
                "--system %s, or name another",
                c->user, c->user);
        return ST_BAD_INPUT;
    }
    if (p->pw_uid == out->uid)
        return ST_OK;
    if (out->uid != 0) {
        diag_at(why, config_where(c, "user"),
                "user: only root can become %s; start sfmtls as root or as %s, or take "
                "the line out",
                c->user, c->user);
        return ST_BAD_INPUT;
    }
    out->name = mem_copy_string(c->user);
    out->uid = p->pw_uid;
    out->gid = p->pw_gid;
    return ST_OK;
}

void user_free(struct user *u)
{
    free(u->name);
    free(u->warning);
    *u = (struct user){0};
}

static void warn(struct user *u, char *sentence)
{
    char *both = u->warning == NULL ? sentence : mem_format("%s; %s", u->warning, sentence);

    if (both != sentence)
        free(sentence);
    free(u->warning);
    u->warning = both;
}

/* ---- what the user gets ---- */

/* Changes the owner of a socket, but of nothing else that somebody may put into its place. A group
 * that was configured stays. */
static void hand_over_socket(const struct user *u, const char *path)
{
    int fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;

    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_nlink == 1 &&
        fchownat(fd, "", u->uid, st.st_gid == getegid() ? u->gid : (gid_t)-1, AT_EMPTY_PATH) != 0)
        log_say(LOG_WARNING, "%s cannot be handed over: %s", path, strerror(errno));
    (void)close(fd);
}

static void hand_over(const struct user *u, const struct process *p)
{
    for (size_t i = 0; i < process_door_count(p); i++) {
        const struct address *a = process_door_address(p, i);
        if (address_is_unix(a))
            hand_over_socket(u, a->local.sun_path);
    }
    log_hand_over(u->uid, u->gid);
}

/* ---- capabilities, by three system calls instead of another library ---- */

struct capabilities {
    struct __user_cap_header_struct header;
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
};

static struct capabilities capabilities(void)
{
    struct capabilities c = {.header = {.version = _LINUX_CAPABILITY_VERSION_3}};

    (void)syscall(SYS_capget, &c.header, c.data);
    return c;
}

static bool has_any(const struct capabilities *c)
{
    uint32_t all = 0;

    for (size_t i = 0; i < ARRAY_LEN(c->data); i++)
        all |= c->data[i].effective | c->data[i].permitted | c->data[i].inheritable;
    return all != 0;
}

/* Drops the capabilities that programs started later could get. Only a privileged process can do
 * that. */
static void drop_bounds(void)
{
    for (unsigned long i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
        (void)prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
}

static bool drop_capabilities(void)
{
    struct capabilities none = {.header = {.version = _LINUX_CAPABILITY_VERSION_3}};
    const struct capabilities now = capabilities();

    (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return !has_any(&now) || syscall(SYS_capset, &none.header, none.data) == 0;
}

/* ---- what the user can do ---- */

struct reading {
    const char *path; /* the file that cannot be read; NULL: none */
    int error;
};

static void on_file(void *ctx, const char *path)
{
    struct reading *r = ctx;
    struct stat st;

    if (r->path != NULL || (stat(path, &st) == 0 && !S_ISREG(st.st_mode)))
        return;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd >= 0) {
        (void)close(fd);
    } else if (errno == EACCES || errno == EPERM) {
        r->path = path;
        r->error = errno;
    }
}

static enum status check_reading(struct user *u, const struct config *c, struct diag *why)
{
    struct reading r = {0};

    config_each_file(c, on_file, &r);
    if (r.path == NULL)
        return ST_OK;
    if (u->name == NULL) {
        warn(u, mem_format("%s cannot be read without privileges (%s), so it cannot be loaded "
                           "again",
                           r.path, strerror(r.error)));
        return ST_OK;
    }
    diag_at(why, r.path,
            "the user %s could not load it again: %s; let that user read the file and search "
            "its folders (chown %s, or a group of its own and chmod g+r)",
            u->name, strerror(r.error), u->name);
    return ST_BAD_INPUT;
}

/* The log has to be created again after a rotation. */
static void check_log(struct user *u, const struct config *c)
{
    if (c->log_path != NULL && !file_can_make(c->log_path, (gid_t)-1))
        warn(u, mem_format("the log %s cannot be created again after a rotation; let %s write into "
                           "its folder, or rotate it by copytruncate",
                           c->log_path, u->name == NULL ? "root" : u->name));
    if (c->log_path != NULL && access(c->log_path, W_OK) != 0 && errno != ENOENT)
        warn(u, mem_format("the log %s cannot be opened again without privileges (%s); give it to "
                           "%s",
                           c->log_path, strerror(errno), u->name == NULL ? "root" : u->name));
}

/* ---- changing ---- */

static enum status change(const struct user *u, struct diag *why)
{
    if (initgroups(u->name, u->gid) == 0 && setresgid(u->gid, u->gid, u->gid) == 0 &&
        setresuid(u->uid, u->uid, u->uid) == 0)
        return ST_OK;
    diag_set(why, "cannot become the user %s: %s; start sfmtls as that user", u->name,
             strerror(errno));
    return ST_SYSTEM;
}

enum status user_become(struct user *u, const struct config *c, const struct process *p,
                        struct diag *why)
{
    const struct capabilities before = capabilities();
    enum status st = ST_OK;

    u->had_low_ports = (before.data[0].effective & (1U << CAP_NET_BIND_SERVICE)) != 0;
    if (u->name != NULL && p != NULL)
        hand_over(u, p);
    drop_bounds();
    if (u->name != NULL)
        st = change(u, why);
    if (st != ST_OK)
        return st;
    harden_again();
    if (!drop_capabilities())
        warn(u, mem_format("privileges could not be given up: %s", strerror(errno)));
    if (p != NULL)
        check_log(u, c);
    return check_reading(u, c, why);
}

/* ---- later configurations ---- */

void user_limit(const struct user *u, struct config *c)
{
    c->access.low_ports_given_up = u->had_low_ports;
}
