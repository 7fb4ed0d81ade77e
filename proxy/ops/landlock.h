/*
 * landlock: the parts of the file system that this process can still use.
 *
 * First the rules are collected. Then landlock_enter() puts them into force,
 * for good, for the calling thread and all threads that it makes later. After
 * landlock_complete() instead, landlock_allows() says what they would allow. Open
 * files stay open, and names can still be looked up (stat, inotify). A rule is
 * for the file or folder that is at the path now, and for everything below it.
 * A folder that takes its place later is not covered.
 */
#ifndef OPS_LANDLOCK_H
#define OPS_LANDLOCK_H

#include <stdbool.h>

#include "base/diag.h"

struct landlock;

enum landlock_access {
    LANDLOCK_READ = 1 << 0,          /* read files */
    LANDLOCK_LIST = 1 << 1,          /* list folders */
    LANDLOCK_APPEND = 1 << 2,        /* write and create files */
    LANDLOCK_SOCKETS = 1 << 3,       /* create and remove Unix sockets */
    LANDLOCK_REMOVE = 1 << 4,        /* remove files */
    LANDLOCK_REMOVE_FOLDER = 1 << 5, /* remove empty folders */
    LANDLOCK_STORE = 1 << 6,         /* create, write, rename and remove files */
};

/* NULL with the reason in *why if the kernel lacks Landlock or forbids it. */
struct landlock *landlock_new(struct diag *why);
void landlock_free(struct landlock *l); /* NULL is allowed; rules stay in force */

int landlock_version(const struct landlock *l);

/* Allows connections to Unix sockets of other processes that have no path. */
void landlock_allow_abstract_sockets(struct landlock *l);

/* Adds a rule. A path that does not exist is skipped. */
void landlock_allow(struct landlock *l, const char *path, unsigned access);

/* Completes the rules and puts them into force. Call it once. */
enum status landlock_enter(struct landlock *l, struct diag *why) MUST_CHECK;

/* Completes the rules without putting them into force. */
enum status landlock_complete(struct landlock *l, struct diag *why) MUST_CHECK;

/* Do the completed rules allow all of `access` at that path, whether or not it exists? Also true if
 * its folder does not exist. */
bool landlock_allows(const struct landlock *l, const char *path, unsigned access);

#endif
