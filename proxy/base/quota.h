/*
 * quota: a limit that the whole process shares, over all its workers.
 */
#ifndef BASE_QUOTA_H
#define BASE_QUOTA_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct quota {
    _Atomic int64_t used;
    _Atomic int64_t limit;
};

static inline void quota_init(struct quota *q, int64_t limit)
{
    atomic_init(&q->used, 0);
    atomic_init(&q->limit, limit);
}

static inline void quota_give_many(struct quota *q, size_t n)
{
    atomic_fetch_sub(&q->used, (int64_t)n);
}

/* All n, or none. */
static inline bool quota_take_many(struct quota *q, size_t n)
{
    if (atomic_fetch_add(&q->used, (int64_t)n) + (int64_t)n <= atomic_load(&q->limit))
        return true;
    quota_give_many(q, n);
    return false;
}

/* More are taken than are allowed, since the limit was lowered (or, for a moment, because somebody
 * tries to take one more). */
static inline bool quota_is_exceeded(const struct quota *q)
{
    return atomic_load_explicit(&q->used, memory_order_relaxed) >
           atomic_load_explicit(&q->limit, memory_order_relaxed);
}

static inline bool quota_is_half_taken(const struct quota *q)
{
    return 2 * atomic_load_explicit(&q->used, memory_order_relaxed) >=
           atomic_load_explicit(&q->limit, memory_order_relaxed);
}

static inline bool quota_take(struct quota *q)
{
    return quota_take_many(q, 1);
}

static inline void quota_give(struct quota *q)
{
    quota_give_many(q, 1);
}

#endif
