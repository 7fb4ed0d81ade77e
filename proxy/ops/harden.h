/*
 * harden: protects the process's memory from other processes.
 */
#ifndef OPS_HARDEN_H
#define OPS_HARDEN_H

/* Forbids core dumps, debuggers of the same user, and more rights by execve() (no_new_privs). Call
 * it before anything secret is read. */
void harden_process(void);

/* Repeats what the kernel resets when the process becomes another user. */
void harden_again(void);
#endif
