/*
 * slot: a value of some hundred bytes that one thread writes and any thread
 * reads, without a lock: a reader that was overtaken reads again.
 *
 * The value is plain memory without padding that matters; pointers in it must
 * stay valid for ever.
 */
#ifndef BASE_SLOT_H
#define BASE_SLOT_H

#include <stddef.h>

struct slot;

struct slot *slot_new(size_t size); /* zero so far */
void slot_free(struct slot *s);     /* NULL is allowed */

/* By its one writer. */
void slot_write(struct slot *s, const void *value);

/* By anybody. */
void slot_read(const struct slot *s, void *value);

#endif
