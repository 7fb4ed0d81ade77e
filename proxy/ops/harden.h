/*
 * harden: keeps what is in the process's memory there.
 */
#ifndef OPS_HARDEN_H
#define OPS_HARDEN_H

#include <stdbool.h>

/* No core dumps, no debugger of the same user, and a heap for keys that is locked into memory.
 * Before anything secret is read, and before OpenSSL is used. */
void harden_process(void);

/* Is that heap locked? The limit of locked memory may be too low. */
bool harden_is_locked(void);

#endif
