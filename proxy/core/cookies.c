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

/* Jars trim names and values (RFC 6265, 5.2), and some take the quotes off or put them on. */
static struct entry make_entry(const struct cookies *c, const char *tenant, struct slice pair)
{
    unsigned char mac[SECRET_MAC_SIZE];
    struct entry e = {.used = true};
    struct slice owner = slice_of(tenant), parts[2] = {{"", 0}, pair};

    if (pair.n > 0 && memchr(pair.p, '=', pair.n) != NULL)
        parts[0] = slice_trim(slice_split(&parts[1], '='));
    struct slice *value = &parts[1];
    *value = slice_trim(*value);
    if (value->n >= 2 && value->p[0] == '"' && value->p[value->n - 1] == '"')
        *value = (struct slice){value->p + 1, value->n - 2};
    secret_mac(c->key, parts, ARRAY_LEN(parts), mac);
    memcpy(e.mac, mac, sizeof(e.mac));
    secret_mac(c->key, &owner, 1, mac);
    memcpy(e.owner, mac, sizeof(e.owner));
    return e;
}

static size_t set_of(const struct entry *e)
{
    return (e->mac[0] | (size_t)e->mac[1] << 8) % SETS;
}

enum ownership { OWNED_BY_NOBODY, OWNED_BY_OTHERS, OWNED };

/* With the lock held. One that two have set alike belongs to both. */
static enum ownership find(const struct cookies *c, const struct entry *wanted)
{
    const struct entry *set = c->entries[set_of(wanted)];
    enum ownership found = OWNED_BY_NOBODY;

    for (size_t i = 0; i < WAYS && found != OWNED; i++)
        if (set[i].used && memcmp(set[i].mac, wanted->mac, MAC_SIZE) == 0)
            found = memcmp(set[i].owner, wanted->owner, OWNER_SIZE) == 0 ? OWNED : OWNED_BY_OTHERS;
    return found;
}

void cookies_remember(struct cookies *c, const char *tenant, struct slice set_cookie)
{
    struct slice pair = slice_trim(slice_split(&set_cookie, ';'));
    struct entry e = make_entry(c, tenant, pair);
    size_t set = set_of(&e);

    (void)pthread_mutex_lock(&c->lock);
    if (find(c, &e) != OWNED) {
        c->entries[set][c->next[set]] = e;
        c->next[set] = (unsigned char)((c->next[set] + 1) % WAYS);
    }
    (void)pthread_mutex_unlock(&c->lock);
}

static bool is_foreign(struct cookies *c, const char *tenant, struct slice pair)
{
    struct entry e = make_entry(c, tenant, pair);

    (void)pthread_mutex_lock(&c->lock);
    bool foreign = find(c, &e) == OWNED_BY_OTHERS;
    (void)pthread_mutex_unlock(&c->lock);
    return foreign;
}

/* Of several that a comma separates (RFC 2965, 3.3.4), one is enough. */
static bool has_foreign(struct cookies *c, const char *tenant, struct slice pair)
{
    bool foreign = is_foreign(c, tenant, pair);

    if (foreign || memchr(pair.p, ',', pair.n) == NULL)
        return foreign;
    while (pair.n > 0 && !foreign)
        foreign = is_foreign(c, tenant, slice_trim(slice_split(&pair, ',')));
    return foreign;
}

static bool flips_quote(struct slice part)
{
    bool odd = false;

    for (size_t i = 0; i < part.n; i++)
        odd = odd != (part.p[i] == '"');
    return odd;
}

void cookies_write(struct cookies *c, const char *tenant, struct slice value, struct buf *out)
{
    bool any = false, dropping = false; /* a string of a foreign one goes on behind the ';' */

    while (value.n > 0) {
        struct slice part = slice_split(&value, ';'), pair = slice_trim(part);
        if (dropping || (pair.n > 0 && has_foreign(c, tenant, pair))) {
            dropping = dropping != flips_quote(part);
            continue;
        }
        buf_add_string(out, any ? ";" : "");
        buf_add_slice(out, any ? part : pair);
        any = true;
    }
}
