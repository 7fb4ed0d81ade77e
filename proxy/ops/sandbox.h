/*
 * sandbox: confines the process that serves to what it needs.
 *
 * Landlock allows reading of the system's files and of the folders of the
 * configuration's files, and writing in the folders of the log and of Unix
 * sockets. A seccomp filter allows the system calls that are needed. Both apply
 * to the calling thread and to threads that it starts, so the sandbox comes
 * before any thread. If a kernel or a container lacks them, that is logged, and
 * the process serves without them.
 */
#ifndef OPS_SANDBOX_H
#define OPS_SANDBOX_H

#include "config/config.h"

struct sandbox;

/* Enters the sandbox, unless the configuration switches it off; there is no way back. scratch: a
 * folder that will be removed with its files; NULL: none. Never returns NULL. */
struct sandbox *sandbox_enter(const struct config *c, const char *scratch);

/* What sandbox_enter() would permit, for sandbox_check_fetching(); nothing is confined. Never
 * returns NULL. */
struct sandbox *sandbox_plan(const struct config *c);
void sandbox_free(struct sandbox *s); /* NULL is allowed */

/* True for a program that is built with sanitizers. */
bool sandbox_is_impossible(void);

/* Refuses a configuration if the process could read its service keys (FILE_APART), or could not
 * read its folders for fetched certificates. ST_BAD_INPUT: *why. */
enum status sandbox_check_fetching(const struct sandbox *s, const struct config *c,
                                   struct diag *why) MUST_CHECK;

/* Logs one line: what is in force, and what is missing. */
void sandbox_announce(const struct sandbox *s);

/* If the sandbox forbids access to something that c names, replaces *why by that reason. Any
 * thread. */
void sandbox_explain(const struct sandbox *s, const struct config *c, struct diag *why);

/* Is there a local CA in the default folder that the sandbox hides, because it was made after the
 * start? */
bool sandbox_hides_local_ca(const struct sandbox *s, const struct config *c);

#endif
