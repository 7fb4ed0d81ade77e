/*
 * store: files into which a certificate is written that was fetched: mode 0600,
 * and never half a one, for a new file takes the old one's name.
 */
#ifndef BTP_STORE_H
#define BTP_STORE_H

#include "tls/credential.h"

/* Writes bytes into a new file beside path. *temporary: its path; the caller removes the file or
 * gives it its name, and frees the path. */
enum status store_put(const char *path, struct slice bytes, char **temporary,
                      struct diag *why) MUST_CHECK;

/* Gives it the name, and takes temporary in every case. */
enum status store_settle(char *temporary, const char *path, struct diag *why) MUST_CHECK;
void store_drop(char *temporary); /* or removes it; NULL is allowed */

/* Removes what was never given its name, by processes that were killed. */
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

/* Can it be presented now? key_apart: its key is in another file. */
enum status store_judge(const struct credential *c, bool key_apart, struct diag *why) MUST_CHECK;

#endif
