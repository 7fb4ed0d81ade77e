#include "core/cookies.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tls/secret.h"

enum { SETS = 512, WAYS = 8, MAC_SIZE = 16, OWNER_SIZE = 8 };

struct entry {
    bool used;
    unsigned char mac[MAC_SIZE];
    unsigned char owner[OWNER_SIZE];
};

struct cookies {
    unsigned char key[SECRET_KEY_SIZE];
    pthread_mutex_t lock;     /* for all below */
    unsigned char next[SETS]; /* the way that is given up next */
    struct entry entries[SETS][WAYS];
};

struct cookies *cookies_new(void)
{
    struct cookies *c = NEW(struct cookies);

    secret_make_key(c->key);
    (void)pthread_mutex_init(&c->lock, NULL);
    return c;
}

void cookies_free(struct cookies *c)
{
    (void)pthread_mutex_destroy(&c->lock);
    secret_wipe(c->key, sizeof(c->key));
    free(c);
}

static struct entry make_entry(const struct cookies *c, const char *tenant, struct slice pair)
{
    unsigned char mac[SECRET_MAC_SIZE];
    struct entry e = {.used = true};
    struct slice owner = slice_of(tenant);

    secret_mac(c->key, &pair, 1, mac);
    memcpy(e.mac, mac, sizeof(e.mac));
    secret_mac(c->key, &owner, 1, mac);
    memcpy(e.owner, mac, sizeof(e.owner));
    return e;
}

static size_t set_of(const struct entry *e)
{
    return (e->mac[0] | (size_t)e->mac[1] << 8) % SETS;
}

/* With the lock held. */
static struct entry *find(struct cookies *c, const struct entry *wanted)
{
    struct entry *set = c->entries[set_of(wanted)];

    for (size_t i = 0; i < WAYS; i++)
        if (set[i].used && memcmp(set[i].mac, wanted->mac, MAC_SIZE) == 0)
            return &set[i];
    return NULL;
}

void cookies_remember(struct cookies *c, const char *tenant, struct slice set_cookie)
{
    struct slice pair = slice_trim(slice_split(&set_cookie, ';'));
    struct entry e = make_entry(c, tenant, pair);
    size_t set = set_of(&e);

    (void)pthread_mutex_lock(&c->lock);
    if (find(c, &e) == NULL) {
        c->entries[set][c->next[set]] = e;
        c->next[set] = (unsigned char)((c->next[set] + 1) % WAYS);
    }
    (void)pthread_mutex_unlock(&c->lock);
}

static bool is_foreign(struct cookies *c, const char *tenant, struct slice pair)
{
    struct entry e = make_entry(c, tenant, pair);

    (void)pthread_mutex_lock(&c->lock);
    const struct entry *found = find(c, &e);
    bool foreign = found != NULL && memcmp(found->owner, e.owner, OWNER_SIZE) != 0;
    (void)pthread_mutex_unlock(&c->lock);
    return foreign;
}

void cookies_write(struct cookies *c, const char *tenant, struct slice value, struct buf *out)
{
    bool any = false;

    while (value.n > 0) {
        struct slice part = slice_split(&value, ';'), pair = slice_trim(part);
        if (is_foreign(c, tenant, pair))
            continue;
        buf_add_string(out, any ? ";" : "");
        buf_add_slice(out, any ? part : pair);
        any = true;
    }
}
