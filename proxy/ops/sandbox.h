/*
 * sandbox: what is left of the machine for a process that serves.
 *
 * Landlock leaves it the system's files and the folders of those that the
 * configuration names, to read; the log's folder and those of Unix sockets, to
 * write. A seccomp filter leaves it the system calls that it needs. Both hold
 * for the calling thread and what it starts, so they come before any thread. A
 * kernel (or a container) that does not have them is told of, and served on.
 */
#ifndef OPS_SANDBOX_H
#define OPS_SANDBOX_H

#include "config/config.h"

struct sandbox;

/* Goes in, unless the configuration says otherwise; there is no way back. scratch: a folder that
 * will be removed with the files in it, or NULL. Never NULL. */
struct sandbox *sandbox_enter(const struct config *c, const char *scratch);
void sandbox_free(struct sandbox *s); /* NULL is allowed */

/* A program built with sanitizers cannot be confined. */
bool sandbox_is_impossible(void);

/* Refuses a configuration whose service keys (FILE_APART) the process could read, or whose folders
 * for fetched certificates it could not. */
enum status sandbox_check_fetching(const struct sandbox *s, const struct config *c,
                                   struct diag *why) MUST_CHECK;

/* One line in the log: what is in force, and what is missing. */
void sandbox_announce(const struct sandbox *s);

/* If something that c names is out of reach, that is the reason why it cannot be loaded or opened,
 * and becomes the sentence. Any thread. */
void sandbox_explain(const struct sandbox *s, const struct config *c, struct diag *why);

/* Is there a local CA in the default folder, out of reach? It was made after the start. */
bool sandbox_hides_local_ca(const struct sandbox *s, const struct config *c);

#endif
