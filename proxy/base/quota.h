/*
 * quota: a limit that all workers of the process share.
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

/* Takes all n or none. */
static inline bool quota_take_many(struct quota *q, size_t n)
{
    if (atomic_fetch_add(&q->used, (int64_t)n) + (int64_t)n <= atomic_load(&q->limit))
        return true;
    quota_give_many(q, n);
    return false;
}

/* Is more taken than allowed? The limit may have been lowered. It is also true for a moment while
 * another thread tries to take something and fails. */
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
