/*
 * slot: a value of some hundred bytes that one thread writes and any thread
 * reads, without a lock. A reader reads again if the value was written
 * meanwhile.
 *
 * The value is plain memory, and its padding must not matter. Pointers in it
 * have to stay valid for ever.
 */
#ifndef BASE_SLOT_H
#define BASE_SLOT_H

#include <stddef.h>

struct slot;

struct slot *slot_new(size_t size); /* the value is all zero */
void slot_free(struct slot *s);     /* NULL is allowed */

/* Only one thread may call it. */
void slot_write(struct slot *s, const void *value);

/* Any thread may call it. */
void slot_read(const struct slot *s, void *value);

#endif
