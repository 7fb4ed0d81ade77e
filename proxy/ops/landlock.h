/*
 * landlock: which parts of the file system this process can still reach.
 *
 * First the rules are gathered, then landlock_enter() puts them into force for
 * the calling thread and every thread that it makes from then on, for good.
 * What is open stays open, and names can still be looked up (stat, inotify).
 * Rules are for what is at a path now, with all that is below it: a folder that
 * is put in its place later is another one.
 */
#ifndef OPS_LANDLOCK_H
#define OPS_LANDLOCK_H

#include <stdbool.h>

#include "base/diag.h"

struct landlock;

enum landlock_access {
    LANDLOCK_READ = 1 << 0,          /* files */
    LANDLOCK_LIST = 1 << 1,          /* folders */
    LANDLOCK_APPEND = 1 << 2,        /* files that are there or are made */
    LANDLOCK_SOCKETS = 1 << 3,       /* Unix sockets are made and removed */
    LANDLOCK_REMOVE = 1 << 4,        /* files */
    LANDLOCK_REMOVE_FOLDER = 1 << 5, /* folders, if they are empty */
    LANDLOCK_STORE = 1 << 6,         /* files are made, written, renamed and removed */
};

/* NULL, and the reason, where the kernel has none or does not let us. */
struct landlock *landlock_new(struct diag *why);
void landlock_free(struct landlock *l); /* NULL is allowed; what is in force stays so */

int landlock_version(const struct landlock *l);

/* abstract: Unix sockets without a path may be called outside of this process. */
void landlock_allow_abstract_sockets(struct landlock *l);

/* A path that is not there is passed over. */
void landlock_allow(struct landlock *l, const char *path, unsigned access);

enum status landlock_enter(struct landlock *l, struct diag *why) MUST_CHECK;

/* Do the rules let all of access happen at that path, whether it is there or would be made? True
 * if not even its folder is there. */
bool landlock_allows(const struct landlock *l, const char *path, unsigned access);

#endif
