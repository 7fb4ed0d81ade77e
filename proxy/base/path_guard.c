#include "base/path_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

/* The limit of Linux: a path with more links cannot be opened. */
enum { MAX_LINKS = 40 };

struct walk {
    /* the place reached so far, without links, NUL-terminated; "" is the root folder */
    struct buf done;
    char *rest;       /* the part of the path that is left, on the heap */
    const char *next; /* points into rest */
    int links;
    uid_t friend, ruler; /* ruler: the owner of the root folder, who can change everything anyway */
    struct path_verdict verdict;
};

/* ---- a single place ---- */

static bool is_read_only(const char *path)
{
    struct statvfs v;

    return statvfs(path, &v) == 0 && (v.f_flag & ST_RDONLY) != 0;
}

/* Is it a mount other than the root folder? */
static bool is_volume(const char *path)
{
    struct statx x;

    return path[1] != '\0' && statx(AT_FDCWD, path, 0, STATX_TYPE, &x) == 0 &&
           (x.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

static bool is_for_all(const struct stat *st)
{
    return (st->st_mode & S_IWOTH) != 0;
}

static bool is_trusted(const struct walk *w, uid_t owner)
{
    return owner == 0 || owner == geteuid() || owner == w->friend || owner == w->ruler;
}

/* Keeps the worst flaw; of equal ones, the first. Flaws on a read-only file system do not count. */
static void note(struct walk *w, enum path_flaw flaw, const char *place, const struct stat *st)
{
    if (flaw <= w->verdict.flaw || is_read_only(place))
        return;
    free(w->verdict.place);
    w->verdict = (struct path_verdict){flaw, mem_copy_string(place), st->st_uid};
}

static void judge_folder(struct walk *w, const char *place, const struct stat *st)
{
    if (!is_trusted(w, st->st_uid))
        note(w, PATH_FOREIGN, place, st);
    if (is_for_all(st) && (st->st_mode & S_ISVTX) == 0)
        note(w, is_volume(place) ? PATH_OPEN_VOLUME : PATH_OPEN_FOLDER, place, st);
}

/* In a folder that everybody may write to, with the sticky bit: whoever made the entry controls it,
 * so its owner counts, as for the kernel's fs.protected_symlinks. */
static void judge_entry(struct walk *w, const struct stat *folder, const char *place,
                        const struct stat *st)
{
    if (is_for_all(folder) && !is_trusted(w, st->st_uid) && st->st_uid != folder->st_uid)
        note(w, PATH_PLANTED, place, st);
}

static void judge_file(struct walk *w, const char *place, const struct stat *st)
{
    if (!S_ISREG(st->st_mode))
        return; /* for pipes, terminals and sockets the path says little */
    if (!is_trusted(w, st->st_uid))
        note(w, PATH_FOREIGN, place, st);
    if (is_for_all(st))
        note(w, PATH_OPEN_FILE, place, st);
}

/* ---- following the path ---- */

static const char *here(const struct walk *w)
{
    return w->done.n == 0 ? "/" : w->done.p;
}

static void go_up(struct walk *w)
{
    while (w->done.n > 0 && w->done.p[w->done.n - 1] != '/')
        w->done.n--;
    if (w->done.n > 0)
        w->done.n--; /* the slash */
    if (w->done.p != NULL)
        w->done.p[w->done.n] = '\0';
}

static void go_down(struct walk *w, struct slice name)
{
    buf_addf(&w->done, "/%.*s", (int)name.n, name.p);
}

/* Puts target in front of the part that is left. */
static void turn_to(struct walk *w, const char *target)
{
    char *rest = mem_format("%s/%s", target, w->next);

    free(w->rest);
    w->rest = rest;
    w->next = rest;
    if (*target == '/' && w->done.p != NULL)
        w->done.p[w->done.n = 0] = '\0';
}

static bool follow_link(struct walk *w, const char *place)
{
    char target[PATH_MAX];
    ssize_t n = readlink(place, target, sizeof(target) - 1);

    if (n <= 0 || ++w->links > MAX_LINKS)
        return false;
    target[n] = '\0';
    go_up(w); /* cuts the name of the link off done */
    turn_to(w, target);
    return true;
}

/* Goes one name further down. False: nothing more can be seen. */
static bool step(struct walk *w, struct slice name)
{
    struct stat folder, entry;

    if (lstat(here(w), &folder) != 0)
        return false;
    judge_folder(w, here(w), &folder);
    go_down(w, name);
    if (lstat(here(w), &entry) != 0)
        return false;
    judge_entry(w, &folder, here(w), &entry);
    if (S_ISLNK(entry.st_mode))
        return follow_link(w, here(w));
    judge_file(w, here(w), &entry);
    return S_ISDIR(entry.st_mode);
}

static struct slice next_name(struct walk *w)
{
    while (*w->next == '/')
        w->next++;
    struct slice name = {w->next, strcspn(w->next, "/")};
    w->next += name.n;
    return name;
}

static bool begin(struct walk *w, const char *path)
{
    char folder[PATH_MAX] = "";
    struct stat root;

    if (*path != '/' && getcwd(folder, sizeof(folder)) == NULL)
        return false;
    w->rest = mem_format("%s/%s", folder, path);
    w->next = w->rest;
    w->ruler = stat("/", &root) == 0 ? root.st_uid : 0;
    return true;
}

struct path_verdict path_judge(const char *path, uid_t friend)
{
    struct walk w = {.friend = friend};
    bool goes_on = begin(&w, path);

    while (goes_on && w.verdict.flaw <= PATH_WORST_WARNING) {
        struct slice name = next_name(&w);
        if (name.n == 0)
            break;
        if (slice_eq(name, SLICE("..")))
            go_up(&w);
        else if (!slice_eq(name, SLICE(".")))
            goes_on = step(&w, name);
    }
    free(w.rest);
    buf_free(&w.done);
    return w.verdict;
}

void path_verdict_free(struct path_verdict *v)
{
    free(v->place);
    *v = (struct path_verdict){0};
}

/* ---- sentences ---- */

char *path_owner(const struct path_verdict *v)
{
    const struct passwd *p = getpwuid(v->owner);

    return p == NULL ? mem_format("uid %lu", (unsigned long)v->owner)
                     : mem_format("user %s", p->pw_name);
}

void path_explain(const struct path_verdict *v, const char *path, struct diag *why)
{
    char *owner = path_owner(v);
    const char *place = v->place;

    switch (v->flaw) {
    case PATH_OPEN_FILE:
        diag_at(why, place, "every user of this machine may change it; chmod o-w %s", place);
        break;
    case PATH_OPEN_FOLDER:
        diag_at(why, path,
                "every user of this machine may replace files in the folder %s; chmod o-w %s, "
                "or chmod +t %s where all have to write",
                place, place, place);
        break;
    case PATH_PLANTED:
        diag_at(why, path,
                "%s belongs to %s and is in a folder into which every user may put files; "
                "chown it, or keep it in a folder that is closed to others",
                place, owner);
        break;
    case PATH_OPEN_VOLUME:
        diag_at(why, path,
                "every user who reaches the volume at %s may replace files in it; chmod o-w "
                "%s, unless only this pod reaches it",
                place, place);
        break;
    default:
        diag_at(why, path,
                "%s belongs to %s, who can change %s; chown it to root or to the user "
                "that sfmtls runs as",
                place, owner, strcmp(place, path) == 0 ? "it" : "what is in it");
    }
    free(owner);
}

/* ---- comparing paths ---- */

char *path_folder(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL)
        return mem_copy_string(".");
    return mem_copy_bytes(path, slash == path ? 1 : (size_t)(slash - path));
}

static bool is_one_inode(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static const char *last_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash == NULL ? path : slash + 1;
}

static bool is_same_place(const char *a, const char *b)
{
    char *folder_a = path_folder(a), *folder_b = path_folder(b);
    struct stat x, y;
    bool same = strcmp(last_name(a), last_name(b)) == 0 && stat(folder_a, &x) == 0 &&
                stat(folder_b, &y) == 0 && is_one_inode(&x, &y);

    free(folder_a);
    free(folder_b);
    return same;
}

bool path_is_same(const char *a, const char *b)
{
    struct stat x, y;

    if (stat(a, &x) == 0 && stat(b, &y) == 0)
        return is_one_inode(&x, &y);
    return is_same_place(a, b);
}

bool path_is_within(const char *path, const char *folder)
{
    char *its = path_folder(path), *inner = realpath(its, NULL), *outer = realpath(folder, NULL);
    size_t n = outer == NULL ? 0 : strlen(outer);
    bool within = inner != NULL && n > 0 && strncmp(inner, outer, n) == 0 &&
                  (inner[n] == '\0' || inner[n] == '/' || outer[n - 1] == '/');

    free(its);
    free(inner);
    free(outer);
    return within;
}
