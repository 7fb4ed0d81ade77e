#include "caller/census.h"

#include <assert.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/list.h"
#include "base/mem.h"

enum { BUCKETS = 1024 };

struct key {
    uint64_t kind, value;
};

struct census_entry {
    struct list node;
    struct key key;
    int64_t count;
};

struct census {
    pthread_mutex_t lock;
    /* Random in each run, so that nobody can choose addresses that share a bucket. */
    uint64_t seed;
    struct list buckets[BUCKETS];
};

struct census *census_new(void)
{
    struct census *c = NEW(struct census);

    (void)pthread_mutex_init(&c->lock, NULL);
    if (getrandom(&c->seed, sizeof(c->seed), 0) < 0)
        c->seed = (uintptr_t)c;
    for (size_t i = 0; i < BUCKETS; i++)
        list_init(&c->buckets[i]);
    return c;
}

void census_free(struct census *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        assert(list_empty(&c->buckets[i]));
    (void)pthread_mutex_destroy(&c->lock);
    free(c);
}

static struct key key_of(const struct peer *p)
{
    struct key k = {.kind = (uint64_t)p->from.any.sa_family};

    if (p->kind == PEER_TOLD) {
        k = (struct key){AF_UNIX, p->uid};
    } else if (p->from.any.sa_family == AF_INET6) {
        memcpy(&k.value, &((const struct sockaddr_in6 *)&p->from.storage)->sin6_addr,
               sizeof(k.value));
    } else if (p->from.any.sa_family == AF_INET) {
        k.value = ((const struct sockaddr_in *)&p->from.storage)->sin_addr.s_addr;
    }
    return k;
}

static struct list *bucket_of(struct census *c, const struct key *k)
{
    /* Two odd factors whose bits are well mixed: 2^64 divided by the golden ratio (Knuth, The Art
     * of Computer Programming 3, 6.4), and one of the public-domain mixer rrmxmx. */
    uint64_t h = (k->value ^ k->kind ^ c->seed) * UINT64_C(0x9e3779b97f4a7c15);

    h = (h ^ h >> 32 ^ c->seed >> 7) * UINT64_C(0xd6e8feb86659fd93);
    return &c->buckets[(h >> 32) % BUCKETS];
}

static struct census_entry *find(struct list *bucket, const struct key *k)
{
    list_each (node, bucket) {
        struct census_entry *e = list_entry(node, struct census_entry, node);
        if (e->key.kind == k->kind && e->key.value == k->value)
            return e;
    }
    return NULL;
}

struct census_entry *census_take(struct census *c, const struct peer *caller, int64_t limit)
{
    struct key k = key_of(caller);
    struct list *bucket = bucket_of(c, &k);

    (void)pthread_mutex_lock(&c->lock);
    struct census_entry *e = find(bucket, &k);
    if (e == NULL) {
        e = NEW(struct census_entry);
        e->key = k;
        list_append(bucket, &e->node);
    }
    if (e->count < limit)
        e->count++;
    else
        e = NULL;
    (void)pthread_mutex_unlock(&c->lock);
    return e;
}

void census_give(struct census *c, struct census_entry *e)
{
    if (e == NULL)
        return;
    (void)pthread_mutex_lock(&c->lock);
    if (--e->count == 0) {
        list_remove(&e->node);
        free(e);
    }
    (void)pthread_mutex_unlock(&c->lock);
}
