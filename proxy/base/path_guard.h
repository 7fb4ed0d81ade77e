/*
 * path_guard: who, beside root and ourselves, could change what a path leads to.
 *
 * A mode of the file alone says little: who may write into a folder on the way
 * can put another file into its place. So each folder is judged, from the root
 * folder down, and where a link leads on, that of the link and those of its
 * target. As OpenSSH, sudo and PostgreSQL do, but with the world in place of
 * the group: a group shares files on purpose.
 *
 * Nothing is opened. What cannot be looked at (it is missing, or a folder may
 * not be searched) is sound here: who opens it explains.
 */
#ifndef BASE_PATH_GUARD_H
#define BASE_PATH_GUARD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/diag.h"

/* From harmless to worst. On file systems that are mounted read-only nobody changes anything. */
enum path_flaw {
    PATH_SOUND,
    PATH_FOREIGN,     /* another user owns it: an explicit choice, or a container's bind mount */
    PATH_OPEN_VOLUME, /* everybody may write where a volume is mounted: Kubernetes' emptyDir */
    PATH_WORST_WARNING = PATH_OPEN_VOLUME,
    PATH_PLANTED,     /* another user owns it, and anybody could have put it there (as in /tmp) */
    PATH_OPEN_FOLDER, /* everybody may replace what is in it: no sticky bit */
    PATH_OPEN_FILE,   /* everybody may write into the regular file */
};

struct path_verdict {
    enum path_flaw flaw;
    char *place; /* the file or folder at fault; NULL: PATH_SOUND */
    uid_t owner; /* of place */
};

/* Judges all that path leads through. friend: a further user who may own any of it, or ourselves.
 * The first place with a flaw that is not a warning counts, else the first warning. End with
 * path_verdict_free(). */
struct path_verdict path_judge(const char *path, uid_t friend);
void path_verdict_free(struct path_verdict *v);

/* "user NAME", or "uid NUMBER"; the caller frees it. */
char *path_owner(const struct path_verdict *v);

/* The sentence for a flaw, with its cure. path: what was judged. */
void path_explain(const struct path_verdict *v, const char *path, struct diag *why);

/* Do both lead to the same file? If one is missing: would it be made in the place of the other? */
bool path_is_same(const char *a, const char *b);

/* Is what path names, or would name, in folder or below it? */
bool path_is_within(const char *path, const char *folder);

/* The folder of a path, which is "." where it names none; the caller frees it. */
char *path_folder(const char *path);

#endif
