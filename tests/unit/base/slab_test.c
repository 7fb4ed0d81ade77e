#include "base/slab.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "test.h"

enum { OBJECTS = 3000, ROUNDS = 40, SIZE = 200 };

/* Objects that are in use, each filled with a byte of its own. */
struct crowd {
    struct slab *slab;
    unsigned char *objects[OBJECTS]; /* NULL: not in use */
    unsigned seed;
};

static bool is_all(const unsigned char *p, unsigned char c)
{
    for (size_t i = 0; i < SIZE; i++)
        if (p[i] != c)
            return false;
    return true;
}

static bool is_aligned(const void *p)
{
    return (uintptr_t)p % _Alignof(max_align_t) == 0;
}

static unsigned char mark(size_t i)
{
    return (unsigned char)(i % 255 + 1);
}

static void take(struct crowd *c, size_t i)
{
    unsigned char *p = c->objects[i] = slab_take(c->slab);

    CHECK(is_all(p, 0) && is_aligned(p));
    memset(p, mark(i), SIZE);
}

static void give(struct crowd *c, size_t i)
{
    CHECK(is_all(c->objects[i], mark(i)));
    slab_give(c->slab, c->objects[i]);
    c->objects[i] = NULL;
}

/* Each object comes or goes by chance; with time, fewer and fewer are in use. */
static void churn(struct crowd *c, unsigned round)
{
    for (size_t i = 0; i < OBJECTS; i++) {
        c->seed = c->seed * 1103515245u + 12345u;
        bool wanted = (c->seed >> 16) % ROUNDS >= round;
        if (wanted && c->objects[i] == NULL)
            take(c, i);
        else if (!wanted && c->objects[i] != NULL)
            give(c, i);
    }
}

TEST(objects_are_distinct_zeroed_and_keep_what_is_written)
{
    struct crowd *c = NEW(struct crowd);

    c->slab = slab_new(SIZE);
    CHECK_INT(slab_size(c->slab), SIZE, "size");
    for (unsigned round = 0; round <= ROUNDS; round++)
        churn(c, round);
    for (size_t i = 0; i < OBJECTS; i++)
        CHECK(c->objects[i] == NULL);
    CHECK(slab_blocks(c->slab) <= 1);
    slab_free(c->slab);
    free(c);
}

TEST(blocks_go_with_their_last_object)
{
    struct crowd *c = NEW(struct crowd);

    if (MEM_IS_WATCHED) {
        free(c);
        return;
    }
    c->slab = slab_new(SIZE);
    for (size_t i = 0; i < OBJECTS; i++)
        take(c, i);
    size_t most = slab_blocks(c->slab);
    CHECK(most >= OBJECTS * SIZE / (64 * 1024) && most <= OBJECTS * (SIZE + 16) / (63 * 1024) + 1);
    for (size_t i = 0; i < OBJECTS / 2; i++)
        give(c, i);
    CHECK(slab_blocks(c->slab) <= most / 2 + 2);
    for (size_t i = 0; i < OBJECTS / 2; i++) /* what has room is filled before there is a new one */
        take(c, i);
    CHECK_INT(slab_blocks(c->slab), most, "filled again");
    for (size_t i = OBJECTS; i-- > 0;)
        give(c, i);
    CHECK_INT(slab_blocks(c->slab), 1, "one is kept");
    slab_free(c->slab);
    free(c);
}
