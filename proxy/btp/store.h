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

/* Loads the credential in the file at path. Of files only the passphrases are used, not certificate
 * and key. *why does not name the file, whose name nobody knows. */
enum status store_look(const char *path, const struct credential_files *files,
                       struct credential **out, struct diag *why) MUST_CHECK;

/* Can it be presented now? key_apart: its key is in another file. ST_BAD_INPUT: *why. */
enum status store_judge(const struct credential *c, bool key_apart, struct diag *why) MUST_CHECK;

#endif
