/*
 * path_guard: which users, besides root and ours, could change the file that a
 * path leads to.
 *
 * The mode of the file alone says little, because whoever may write to a folder
 * of the path can replace the file. So each folder is judged from the root
 * folder down; where a link is followed, the folders of the link and of its
 * target are judged. OpenSSH, sudo and PostgreSQL do the same, but refuse what
 * the group may write; here that is allowed, because a group shares files on
 * purpose, and only what everybody may write is refused.
 *
 * Nothing is opened. A place that cannot be looked at (missing, or in a folder
 * that may not be searched) counts as sound: the code that opens it will
 * explain.
 */
#ifndef BASE_PATH_GUARD_H
#define BASE_PATH_GUARD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/diag.h"

/* From harmless to worst. On a file system that is mounted read-only there are no flaws. */
enum path_flaw {
    PATH_SOUND,
    PATH_FOREIGN,     /* another user owns it: by choice, or through a container's bind mount */
    PATH_OPEN_VOLUME, /* everybody may write, and a volume is mounted there: Kubernetes' emptyDir */
    PATH_WORST_WARNING = PATH_OPEN_VOLUME,
    /* another user owns it in a folder where everybody can make files (like /tmp) */
    PATH_PLANTED,
    PATH_OPEN_FOLDER, /* everybody may replace its entries, because it has no sticky bit */
    PATH_OPEN_FILE,   /* everybody may write to the regular file */
};

struct path_verdict {
    enum path_flaw flaw;
    char *place; /* the file or folder at fault; NULL for PATH_SOUND */
    uid_t owner; /* the owner of place */
};

/* Judges everything that path leads through. friend: a user who, besides root and ourselves, may
 * own any of it; geteuid() if there is none. Returns the first flaw that is worse than
 * PATH_WORST_WARNING, else the worst warning (of equal ones, the first). The user frees it with
 * path_verdict_free(). */
struct path_verdict path_judge(const char *path, uid_t friend);
void path_verdict_free(struct path_verdict *v);

/* "user NAME" or "uid NUMBER" for the owner; the user frees it. */
char *path_owner(const struct path_verdict *v);

/* Writes the sentence for a flaw, with the cure. path: the path that was judged. */
void path_explain(const struct path_verdict *v, const char *path, struct diag *why);

/* Do both paths lead to the same file? If a file is missing: would it be created at the place of
 * the other one? */
bool path_is_same(const char *a, const char *b);

/* Is the file that path leads to, or would create, in folder or below it? */
bool path_is_within(const char *path, const char *folder);

/* The folder part of a path, "." if it has none; the user frees it. */
char *path_folder(const char *path);

#endif
