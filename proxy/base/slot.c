#include "base/slot.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* While the value is being written, the version is odd. Words are stored with release and loaded
 * with acquire. So a reader that has seen one word of a new value sees that version (or a later
 * one) afterwards. */
struct slot {
    _Atomic uint64_t version;
    size_t size, nwords;
    _Atomic uint64_t words[];
};

struct slot *slot_new(size_t size)
{
    size_t nwords = (size + sizeof(uint64_t) - 1) / sizeof(uint64_t);
    struct slot *s = mem_new(sizeof(*s) + nwords * sizeof(s->words[0]));

    atomic_init(&s->version, 0);
    s->size = size;
    s->nwords = nwords;
    for (size_t i = 0; i < nwords; i++)
        atomic_init(&s->words[i], 0);
    return s;
}

void slot_free(struct slot *s)
{
    free(s);
}

/* How many bytes of the value the word at index i holds. */
static size_t part(const struct slot *s, size_t i)
{
    size_t left = s->size - i * sizeof(uint64_t);

    return left < sizeof(uint64_t) ? left : sizeof(uint64_t);
}

void slot_write(struct slot *s, const void *value)
{
    uint64_t version = atomic_load_explicit(&s->version, memory_order_relaxed);

    atomic_store_explicit(&s->version, version + 1, memory_order_relaxed);
    for (size_t i = 0; i < s->nwords; i++) {
        uint64_t word = 0;
        memcpy(&word, (const char *)value + i * sizeof(word), part(s, i));
        atomic_store_explicit(&s->words[i], word, memory_order_release);
    }
    atomic_store_explicit(&s->version, version + 2, memory_order_release);
}

void slot_read(const struct slot *s, void *value)
{
    uint64_t before;

    do {
        before = atomic_load_explicit(&s->version, memory_order_acquire);
        for (size_t i = 0; i < s->nwords; i++) {
            uint64_t word = atomic_load_explicit(&s->words[i], memory_order_acquire);
            memcpy((char *)value + i * sizeof(word), &word, part(s, i));
        }
    } while (before % 2 != 0 || atomic_load_explicit(&s->version, memory_order_relaxed) != before);
}
