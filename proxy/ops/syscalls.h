/*
 * syscalls: the system calls that this process can still make (seccomp).
 *
 * A list says which calls are allowed. A call that only an intruder would make
 * kills the process. All others fail with ENOSYS, as on a kernel that does not
 * know them, so that libraries use another way. No program can be started, no
 * memory made executable, no process made.
 */
#ifndef OPS_SYSCALLS_H
#define OPS_SYSCALLS_H

#include "base/diag.h"

/* Restricts the calling thread and all threads that it makes later, for good. Load libraries before
 * that are loaded on demand. */
enum status syscalls_restrict(struct diag *why) MUST_CHECK;

/* The same for a process of another kind. */
enum syscalls_kind {
    SYSCALLS_OF_SERVING,
    SYSCALLS_OF_FETCHING, /* may rename and sync files, but not listen */
};
enum status syscalls_restrict_to(enum syscalls_kind kind, struct diag *why) MUST_CHECK;

#endif
