/*
 * key_memory: where private keys are: memory that is locked and never dumped
 * (OpenSSL's secure heap), and held once, however often the same file is read.
 *
 * The heap cannot grow: its size is decided before OpenSSL is used. As much is
 * set aside as may be locked, 16 MiB at most; pages are taken only when they
 * are used. A reload holds old and new keys at the same time.
 */
#ifndef TLS_KEY_MEMORY_H
#define TLS_KEY_MEMORY_H

#include <stdbool.h>

#include "base/diag.h"

/* Once, before OpenSSL is used. */
void key_memory_init(void);

/* While a key is read, in the calling thread: what OpenSSL gives back to the ordinary heap is wiped
 * first, for it decodes keys there. */
void key_memory_begin_reading(void);
void key_memory_end_reading(void);

/* The limit of locked memory may be too low. */
bool key_memory_is_locked(void);

/* Is there no room for another key any more, or only for what TLS itself takes? Then the sentence
 * says so, whatever stood there. */
bool key_memory_is_used_up(struct diag *why);

#endif
