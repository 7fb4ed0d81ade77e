#include "caller/admitted.h"

#include <stdlib.h>

#include "base/list.h"
#include "base/mem.h"

enum { BUCKETS = 256 }; /* for at most ADMITTED_MAX entries, four in each */

struct entry {
    struct list age, bucket;
    unsigned char mac[SECRET_MAC_SIZE];
    int64_t expires;
};

struct admitted {
    struct list ages; /* in the order of their age, oldest first */
    size_t count;
    struct list buckets[BUCKETS];
};

struct admitted *admitted_new(void)
{
    struct admitted *a = NEW(struct admitted);

    list_init(&a->ages);
    for (size_t i = 0; i < BUCKETS; i++)
        list_init(&a->buckets[i]);
    return a;
}

static void forget(struct admitted *a, struct entry *e)
{
    list_remove(&e->age);
    list_remove(&e->bucket);
    a->count--;
    free(e);
}

static void forget_expired(struct admitted *a, int64_t now)
{
    list_each (node, &a->ages) {
        struct entry *e = list_entry(node, struct entry, age);
        if (e->expires > now)
            return;
        forget(a, e);
    }
}

static struct entry *find(struct admitted *a, const unsigned char *mac)
{
    list_each (node, &a->buckets[mac[0]]) {
        struct entry *e = list_entry(node, struct entry, bucket);
        if (secret_equal(e->mac, mac, SECRET_MAC_SIZE))
            return e;
    }
    return NULL;
}

bool admitted_has(struct admitted *a, const unsigned char mac[SECRET_MAC_SIZE], int64_t now)
{
    forget_expired(a, now);
    return find(a, mac) != NULL;
}

void admitted_put(struct admitted *a, const unsigned char mac[SECRET_MAC_SIZE], int64_t now)
{
    struct entry *e = find(a, mac);

    if (e != NULL)
        forget(a, e);
    if (a->count == ADMITTED_MAX)
        forget(a, list_entry(list_first(&a->ages), struct entry, age));
    e = NEW(struct entry);
    memcpy(e->mac, mac, SECRET_MAC_SIZE);
    e->expires = now + ADMITTED_MS;
    list_append(&a->ages, &e->age);
    list_append(&a->buckets[mac[0]], &e->bucket);
    a->count++;
}

void admitted_free(struct admitted *a)
{
    struct list *first;

    while ((first = list_first(&a->ages)) != NULL)
        forget(a, list_entry(first, struct entry, age));
    free(a);
}
