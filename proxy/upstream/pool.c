#include "upstream/pool.h"

#include "upstream/upstream.h"

void pool_init(struct pool *p)
{
    list_init(&p->idle);
}

/* The reason why the connection cannot be used; NULL: it can. Bytes that the server sent without a
 * request would be read as the answer to the next one. */
static const char *reason_to_close(const struct upstream *u)
{
    if (upstream_is_too_old(u))
        return "it is too old (pool-age)";
    return stream_is_alive(upstream_stream(u)) ? NULL : POOL_NOT_SILENT;
}

struct upstream *pool_take(struct pool *p)
{
    struct list *first;

    while ((first = list_first(&p->idle)) != NULL) {
        struct upstream *u = upstream_of_node(first);
        const char *reason = reason_to_close(u);
        if (reason == NULL) {
            list_remove(first);
            return u;
        }
        upstream_close(u, STREAM_CLOSE, reason);
    }
    return NULL;
}

void pool_give(struct pool *p, struct upstream *u, int64_t idle_ms)
{
    list_prepend(&p->idle, upstream_node(u));
    upstream_rest(u, idle_ms);
}

bool pool_drop_one(struct pool *p, const char *reason)
{
    if (list_empty(&p->idle))
        return false;
    upstream_close(upstream_of_node(p->idle.prev), STREAM_CLOSE, reason);
    return true;
}

void pool_clear(struct pool *p, const char *reason)
{
    while (pool_drop_one(p, reason))
        continue;
}
