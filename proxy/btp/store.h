/*
 * store: writes fetched certificates into files, with mode 0600. A file is
 * never incomplete, because a complete new file takes the old one's name.
 */
#ifndef BTP_STORE_H
#define BTP_STORE_H

#include "tls/credential.h"

/* Writes bytes into a new file beside path. *temporary: its path, for store_settle() or
 * store_drop(). */
enum status store_put(const char *path, struct slice bytes, char **temporary,
                      struct diag *why) MUST_CHECK;

/* Renames the file to path. Takes ownership of temporary in any case. */
enum status store_settle(char *temporary, const char *path, struct diag *why) MUST_CHECK;
void store_drop(char *temporary); /* removes it instead; NULL is allowed */

/* Removes temporary files that killed processes have left. */
void store_sweep(const char *folder);

/* Notes in that file of a store that BTP is asked now: by the time of the file, whose inode stays.
 * *mark: its descriptor, for what follows. */
enum status store_mark(const char *path, int *mark, struct diag *why) MUST_CHECK;

/* Waits until no other process is in the store. Several may share one; a file system that has no
 * locks is for one alone. The end of a process lets the next one in, too. */
void store_enter(int mark);
void store_leave(int mark);

/* Looks at what is in a file, with the passphrases of files, whose certificate and key do not
 * count. The sentence has no place in it: the file's name is not one that anybody knows. */
enum status store_look(const char *path, const struct credential_files *files,
                       struct credential **out, struct diag *why) MUST_CHECK;

/* Can it be presented now? key_apart: its key is in another file. ST_BAD_INPUT: *why. */
enum status store_judge(const struct credential *c, bool key_apart, struct diag *why) MUST_CHECK;

#endif
