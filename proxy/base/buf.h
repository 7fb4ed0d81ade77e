/*
 * buf: a sequence of bytes that grows at the end.
 *
 * A value with one owner; all zero is an empty buf. The room doubles when it is
 * used up, so adding is amortised O(1). The bytes move when it grows, so keep
 * offsets instead of pointers.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdint.h>
#include <stdlib.h>

#include "base/slice.h"
#include "base/status.h"

struct buf {
    char *p;
    size_t n, cap;
};

/* Makes room for that many bytes after n. */
void buf_reserve(struct buf *b, size_t more) RARE;
void buf_add_u64(struct buf *b, uint64_t value);
void buf_addf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);

static inline void buf_add(struct buf *b, const char *p, size_t n)
{
    if (b->cap - b->n < n)
        buf_reserve(b, n);
    if (n > 0)
        memcpy(b->p + b->n, p, n);
    b->n += n;
}

static inline void buf_add_slice(struct buf *b, struct slice s)
{
    buf_add(b, s.p, s.n);
}

static inline void buf_add_string(struct buf *b, const char *s)
{
    buf_add(b, s, strlen(s));
}

static inline struct slice buf_slice(const struct buf *b)
{
    return (struct slice){b->p, b->n};
}

static inline void buf_free(struct buf *b)
{
    free(b->p);
    *b = (struct buf){0};
}

#endif
