/*
 * harden: keeps what is in the process's memory there.
 */
#ifndef OPS_HARDEN_H
#define OPS_HARDEN_H

/* No core dumps, no debugger of the same user, no program that would have more rights than this
 * one (no_new_privs). Before anything secret is read. */
void harden_process(void);

/* What the kernel forgets when the process becomes another user. */
void harden_again(void);
#endif
