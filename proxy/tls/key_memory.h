/*
 * key_memory: the memory of private keys. It is locked and never dumped
 * (OpenSSL's secure heap), and holds each key only once, however often a file
 * is read.
 *
 * The heap cannot grow, so its size is decided before OpenSSL is used: as much
 * as may be locked, at most 16 MiB. Pages take real memory only when they are
 * used. During a reload old and new keys are in it.
 */
#ifndef TLS_KEY_MEMORY_H
#define TLS_KEY_MEMORY_H

#include <stdbool.h>

#include "base/diag.h"

/* Call it once, before OpenSSL is used. */
void key_memory_init(void);

/* Call these before and after reading a key. Between them, memory that OpenSSL frees on the
 * ordinary heap is wiped in this thread, because OpenSSL decodes keys there. */
void key_memory_begin_reading(void);
void key_memory_end_reading(void);

/* False: the limit of locked memory is too low. */
bool key_memory_is_locked(void);

/* Is there no room for another key, or only for the needs of TLS itself? If so, sets *why, even if
 * it was set before. */
bool key_memory_is_used_up(struct diag *why);

#endif
