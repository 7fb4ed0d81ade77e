#include "ops/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

/* struct landlock_ruleset_attr, which the kernel headers of some distributions lack in parts. All
 * rights to files that the kernel's version knows are taken away. Rights to ports are not, because
 * a reload may add any listener or server. */
struct terms {
    uint64_t files, ports, scopes;
};

enum { SCOPE_ABSTRACT_UNIX_SOCKET = 1, SCOPE_SIGNAL = 2, SCOPES_SINCE = 6 };

/* For each version, the number of the first right to files that it does not know. */
static const int first_unknown[] = {0, 13, 14, 15, 15, 16};

struct place {
    dev_t device;
    ino_t inode;
    unsigned access;
};

struct rule {
    char *path;
    unsigned access;
};

struct landlock {
    int version;
    bool abstract_sockets;
    struct rule *rules;
    size_t nrules;
    int ruleset;          /* the kernel's; negative: the rules are not complete */
    struct place *places; /* of the rules in it */
    size_t nplaces;
};

static int create_ruleset(const struct terms *t, size_t size, unsigned flags)
{
    return (int)syscall(SYS_landlock_create_ruleset, t, size, flags);
}

static void say_why_not(int error, struct diag *why)
{
    const char *reason = error == ENOSYS       ? "this kernel has none"
                         : error == EOPNOTSUPP ? "it was switched off when the kernel was started"
                                               : strerror(error);

    diag_set(why, "%s", reason);
}

struct landlock *landlock_new(struct diag *why)
{
    int version = create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

    if (version < 1) {
        say_why_not(errno, why);
        return NULL;
    }
    struct landlock *l = NEW(struct landlock);
    l->version = version;
    l->ruleset = -1;
    return l;
}

static void forget_ruleset(struct landlock *l)
{
    if (l->ruleset >= 0)
        (void)close(l->ruleset);
    l->ruleset = -1;
}

void landlock_free(struct landlock *l)
{
    if (l == NULL)
        return;
    forget_ruleset(l);
    for (size_t i = 0; i < l->nrules; i++)
        free(l->rules[i].path);
    free(l->rules);
    free(l->places);
    free(l);
}

int landlock_version(const struct landlock *l)
{
    return l->version;
}

void landlock_allow_abstract_sockets(struct landlock *l)
{
    l->abstract_sockets = true;
}

void landlock_allow(struct landlock *l, const char *path, unsigned access)
{
    l->rules = mem_grow(l->rules, (l->nrules + 1) * sizeof(l->rules[0]));
    l->rules[l->nrules++] = (struct rule){mem_copy_string(path), access};
}

/* ---- completing the rules ---- */

static uint64_t rights_of(unsigned access, bool is_folder)
{
    uint64_t rights = 0;

    if ((access & LANDLOCK_READ) != 0)
        rights |= LANDLOCK_ACCESS_FS_READ_FILE;
    if ((access & LANDLOCK_APPEND) != 0)
        rights |= LANDLOCK_ACCESS_FS_WRITE_FILE;
    if (!is_folder)
        return rights;
    if ((access & LANDLOCK_LIST) != 0)
        rights |= LANDLOCK_ACCESS_FS_READ_DIR;
    if ((access & LANDLOCK_APPEND) != 0)
        rights |= LANDLOCK_ACCESS_FS_MAKE_REG;
    if ((access & LANDLOCK_SOCKETS) != 0)
        rights |= LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_REMOVE_FILE;
    if ((access & LANDLOCK_STORE) != 0)
        rights |= LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_WRITE_FILE |
                  LANDLOCK_ACCESS_FS_REMOVE_FILE;
    if ((access & LANDLOCK_REMOVE) != 0)
        rights |= LANDLOCK_ACCESS_FS_REMOVE_FILE;
    if ((access & LANDLOCK_REMOVE_FOLDER) != 0)
        rights |= LANDLOCK_ACCESS_FS_REMOVE_DIR;
    return rights;
}

static void note_place(struct landlock *l, const struct stat *st, unsigned access)
{
    l->places = mem_grow(l->places, (l->nplaces + 1) * sizeof(l->places[0]));
    l->places[l->nplaces++] = (struct place){st->st_dev, st->st_ino, access};
}

static bool add_rule(struct landlock *l, int ruleset, const struct rule *r)
{
    int fd = open(r->path, O_PATH | O_CLOEXEC);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0) {
        if (fd >= 0)
            (void)close(fd);
        return true;
    }
    struct landlock_path_beneath_attr beneath = {
        .allowed_access = rights_of(r->access, S_ISDIR(st.st_mode)), .parent_fd = fd};
    bool added =
        beneath.allowed_access == 0 ||
        syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) == 0 ||
        errno == EBADFD; /* a pipe or a memfd is in no folder, so no rule forbids it */
    if (added)
        note_place(l, &st, r->access);
    int error = errno;
    (void)close(fd);
    errno = error;
    return added;
}

static struct terms terms_of(const struct landlock *l)
{
    size_t newest = ARRAY_LEN(first_unknown) - 1,
           version = (size_t)l->version < newest ? (size_t)l->version : newest;
    struct terms t = {.files = (UINT64_C(1) << first_unknown[version]) - 1};

    if (l->version >= SCOPES_SINCE)
        t.scopes = SCOPE_SIGNAL | (l->abstract_sockets ? 0 : SCOPE_ABSTRACT_UNIX_SOCKET);
    return t;
}

enum status landlock_complete(struct landlock *l, struct diag *why)
{
    struct terms terms = terms_of(l);

    l->ruleset = create_ruleset(&terms, sizeof(terms), 0);
    bool done = l->ruleset >= 0;
    for (size_t i = 0; done && i < l->nrules; i++)
        done = add_rule(l, l->ruleset, &l->rules[i]);
    if (!done)
        say_why_not(errno, why);
    return done ? ST_OK : ST_SYSTEM;
}

enum status landlock_enter(struct landlock *l, struct diag *why)
{
    enum status st = landlock_complete(l, why);

    if (st == ST_OK && syscall(SYS_landlock_restrict_self, l->ruleset, 0) != 0) {
        say_why_not(errno, why);
        st = ST_SYSTEM;
    }
    forget_ruleset(l);
    return st;
}

/* ---- what they allow ---- */

static unsigned access_at(const struct landlock *l, const char *path)
{
    struct stat st;
    unsigned access = 0;

    if (stat(path, &st) != 0)
        return 0;
    for (size_t i = 0; i < l->nplaces; i++)
        if (l->places[i].device == st.st_dev && l->places[i].inode == st.st_ino)
            access |= l->places[i].access;
    return access;
}

/* The path without links. If the path does not exist, that of its folder; NULL: the folder does not
 * exist either. */
static char *real_path(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *real = realpath(path, NULL);

    if (real != NULL)
        return real;
    char *folder =
        slash == NULL ? mem_copy_string(".") : mem_copy_bytes(path, (size_t)(slash - path + 1));
    real = realpath(folder, NULL);
    free(folder);
    return real;
}

bool landlock_allows(const struct landlock *l, const char *path, unsigned access)
{
    char *real = real_path(path);
    unsigned found = 0;

    if (real == NULL)
        return true;
    for (char *slash = real; slash != NULL && *real != '\0';) {
        found |= access_at(l, real);
        slash = strrchr(real, '/');
        if (slash != NULL)
            *slash = '\0';
    }
    found |= access_at(l, "/");
    free(real);
    return (found & access) == access;
}
