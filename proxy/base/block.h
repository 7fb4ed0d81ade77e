/*
 * block: sixteen bytes at a time, for searches that would be slow byte by byte.
 * The compiler turns it into vector instructions on every machine.
 */
#ifndef BASE_BLOCK_H
#define BASE_BLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { BLOCK_SIZE = 16, BLOCK_LITTLE_ENDIAN = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ };

/* A comparison of two blocks gives a third one: all bits of a byte are set if the comparison is
 * true for it, else none. */
typedef unsigned char block __attribute__((vector_size(BLOCK_SIZE)));

static inline block block_load(const char *p)
{
    block b;

    memcpy(&b, p, sizeof(b));
    return b;
}

static inline block block_of(char c)
{
    return (block){0} + (unsigned char)c;
}

/* Marks the bytes at p that equal c: all their bits are set. */
static inline block block_find(const char *p, char c)
{
    return (block)(block_load(p) == block_of(c));
}

static inline bool block_is_zero(block b)
{
    uint64_t halves[2];

    memcpy(halves, &b, sizeof(b));
    return (halves[0] | halves[1]) == 0;
}

/* Takes eight bytes of which each has all bits set or none, in the order of memory. Returns the
 * index of the first that is set; at least one has to be. */
static inline size_t block_first_of_half(uint64_t half)
{
    return (size_t)(BLOCK_LITTLE_ENDIAN ? __builtin_ctzll(half) : __builtin_clzll(half)) / 8;
}

/* The index of the first byte that is set; BLOCK_SIZE: none. The x86 instruction for it makes a
 * search a third faster. */
static inline size_t block_first(block b)
{
#ifdef __SSE2__
    typedef char bytes __attribute__((vector_size(BLOCK_SIZE)));

    return (size_t)__builtin_ctz((unsigned)__builtin_ia32_pmovmskb128((bytes)b) | 1U << BLOCK_SIZE);
#else
    uint64_t halves[2];

    memcpy(halves, &b, sizeof(b));
    if (halves[0] != 0)
        return block_first_of_half(halves[0]);
    return halves[1] != 0 ? 8 + block_first_of_half(halves[1]) : BLOCK_SIZE;
#endif
}

#endif
