#include "base/slab.h"

#include <assert.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/list.h"
#include "base/mem.h"

enum { BLOCK = 64 * 1024, LARGEST = 4096, ALIGNMENT = alignof(max_align_t) };

/* An object that is not in use. */
struct unused {
    struct unused *next;
};

/* The beginning of a block. A block's address is a multiple of its size, so the address of an
 * object gives the address of its block. */
struct block {
    struct list node; /* in the list of blocks with room */
    struct unused *given;
    size_t in_use, begun; /* begun: how many objects, from the first on, have ever been in use */
};

struct slab {
    struct list with_room;
    size_t size, step, per_block; /* step: the distance between the beginnings of two objects */
    size_t blocks;
};

static size_t rounded_up(size_t n)
{
    return (n + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

struct slab *slab_new(size_t size)
{
    struct slab *s = NEW(struct slab);

    assert(size >= sizeof(struct unused) && size <= LARGEST);
    list_init(&s->with_room);
    s->size = size;
    s->step = rounded_up(size);
    s->per_block = (BLOCK - rounded_up(sizeof(struct block))) / s->step;
    return s;
}

/* mmap() does not align to BLOCK, so this maps twice as much and returns the parts before and
 * after. */
static struct block *map_block(void)
{
    char *p = mmap(NULL, 2 * BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        abort();
    size_t before = (BLOCK - (uintptr_t)p % BLOCK) % BLOCK;
    if (before > 0)
        (void)munmap(p, before);
    (void)munmap(p + before + BLOCK, BLOCK - before);
    return (struct block *)(void *)(p + before);
}

static void unmap_block(struct slab *s, struct block *b)
{
    list_remove(&b->node);
    s->blocks--;
    (void)munmap(b, BLOCK);
}

static struct block *block_with_room(struct slab *s)
{
    struct list *first = list_first(&s->with_room);

    if (first != NULL)
        return list_entry(first, struct block, node);
    struct block *b = map_block();
    list_append(&s->with_room, &b->node);
    s->blocks++;
    return b;
}

static bool is_full(const struct slab *s, const struct block *b)
{
    return b->in_use == s->per_block;
}

void *slab_take(struct slab *s)
{
    if (MEM_IS_WATCHED)
        return mem_new(s->size);
    struct block *b = block_with_room(s);
    void *object = b->given;
    if (object != NULL)
        b->given = b->given->next;
    else
        object = (char *)b + rounded_up(sizeof(*b)) + b->begun++ * s->step;
    b->in_use++;
    if (is_full(s, b))
        list_remove(&b->node);
    return memset(object, 0, s->size);
}

static bool is_only_one_with_room(const struct slab *s, const struct block *b)
{
    return s->with_room.next == &b->node && s->with_room.prev == &b->node;
}

void slab_give(struct slab *s, void *object)
{
    if (MEM_IS_WATCHED) {
        free(object);
        return;
    }
    struct block *b = (struct block *)(void *)((char *)object - (uintptr_t)object % BLOCK);
    struct unused *u = object;
    if (is_full(s, b))
        list_append(&s->with_room, &b->node);
    u->next = b->given;
    b->given = u;
    if (--b->in_use == 0 && !is_only_one_with_room(s, b))
        unmap_block(s, b);
}

void slab_free(struct slab *s)
{
    if (s == NULL)
        return;
    for (struct list *first; (first = list_first(&s->with_room)) != NULL;) {
        struct block *b = list_entry(first, struct block, node);
        assert(b->in_use == 0);
        unmap_block(s, b);
    }
    assert(s->blocks == 0);
    free(s);
}

size_t slab_size(const struct slab *s)
{
    return s->size;
}

size_t slab_blocks(const struct slab *s)
{
    return s->blocks;
}
