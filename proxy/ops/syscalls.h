/*
 * syscalls: which system calls this process can still make (seccomp).
 *
 * A list of what is let through; of the rest, what only an intruder would call
 * ends the process, and everything else is answered as by a kernel that does
 * not know it (ENOSYS), so that libraries take their other way. No program is
 * started, no memory becomes executable, no process is made.
 */
#ifndef OPS_SYSCALLS_H
#define OPS_SYSCALLS_H

#include "base/diag.h"

/* For the calling thread and every thread that it makes from then on, for good. Libraries that
 * are loaded on demand have to be loaded before. */
enum status syscalls_restrict(struct diag *why) MUST_CHECK;

/* The same for a process of another kind. */
enum syscalls_kind {
    SYSCALLS_OF_SERVING,
    SYSCALLS_OF_FETCHING, /* files are renamed and synchronised, nothing is listened on */
};
enum status syscalls_restrict_to(enum syscalls_kind kind, struct diag *why) MUST_CHECK;

#endif
