/*
 * harden: keeps what is in the process's memory there.
 */
#ifndef OPS_HARDEN_H
#define OPS_HARDEN_H

#include <stdbool.h>

/* No core dumps, no debugger of the same user, no program that would have more rights than this
 * one (no_new_privs), and a heap for keys that is locked into memory. Before anything secret is
 * read, and before OpenSSL is used. */
void harden_process(void);

/* What the kernel forgets when the process becomes another user. */
void harden_again(void);

/* Is that heap locked? The limit of locked memory may be too low. */
bool harden_is_locked(void);

#endif
