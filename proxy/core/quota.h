/*
 * quota: a limit that the whole process shares, over all its workers.
 */
#ifndef CORE_QUOTA_H
#define CORE_QUOTA_H

#include <stdatomic.h>
#include <stdbool.h>
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

static inline bool quota_take(struct quota *q)
{
    if (atomic_fetch_add(&q->used, 1) < atomic_load(&q->limit))
        return true;
    atomic_fetch_sub(&q->used, 1);
    return false;
}

static inline void quota_give(struct quota *q)
{
    atomic_fetch_sub(&q->used, 1);
}

#endif
