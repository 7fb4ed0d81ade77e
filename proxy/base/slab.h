/*
 * slab: memory for many objects of one size. Unlike the heap, it gives memory
 * back to the system when the objects are gone.
 *
 * The heap gives back a page only if nothing is left in it, and long-lived
 * objects lie between short-lived ones: two thirds of the memory for 9,000
 * callers stayed. A block of the slab (64 KiB) contains only objects of one
 * kind and is given back with its last object; one empty block is kept.
 *
 * Under AddressSanitizer each object is allocated on the heap, so that the
 * sanitizer watches it. Belongs to one thread.
 */
#ifndef BASE_SLAB_H
#define BASE_SLAB_H

#include <stddef.h>

struct slab;

/* size: of one object, in bytes; at most 4 KiB. */
struct slab *slab_new(size_t size);
void slab_free(struct slab *s); /* call it after all objects were given back; NULL is allowed */

void *slab_take(struct slab *s); /* zeroed, with malloc()'s alignment */
void slab_give(struct slab *s, void *object);

size_t slab_size(const struct slab *s);
size_t slab_blocks(const struct slab *s); /* the number of blocks that it has from the system now */

#endif
