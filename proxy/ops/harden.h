/*
 * harden: keeps what is in the process's memory there.
 */
#ifndef OPS_HARDEN_H
#define OPS_HARDEN_H

/* No core dumps, no debugger of the same user, and a heap for keys that is locked into memory.
 * Before anything secret is read, and before OpenSSL is used. */
void harden_process(void);

#endif
