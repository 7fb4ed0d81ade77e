#include "exchange/cookies.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/mem.h"
#include "tls/secret.h"

enum {
    WAYS = 8, /* cookies in a set; of a full set the one used longest ago is forgotten */
    SETS = COOKIES_OF_TENANT / WAYS,
    MAC_SIZE = 16, /* bytes that are kept of a cookie's MAC */
};

struct mac {
    unsigned char bytes[MAC_SIZE];
};

/* The cookies whose hashes begin alike, in the order of their last use, latest first. */
struct set {
    unsigned char n;
    struct mac macs[WAYS];
};

/* What one tenant's server has set. */
struct jar {
    struct list node;
    char *name, *url, *company_id; /* the tenant that the jar belongs to */
    bool left_out;                 /* a cookie of a request was not in this jar and was left out */
    struct set sets[SETS];
};

struct cookies {
    unsigned char key[SECRET_KEY_SIZE];
    pthread_mutex_t lock; /* protects the list and the jars */
    struct list jars;
};

/* ---- jars ---- */

struct cookies *cookies_new(void)
{
    struct cookies *c = NEW(struct cookies);

    secret_make_key(c->key);
    (void)pthread_mutex_init(&c->lock, NULL);
    list_init(&c->jars);
    return c;
}

static void free_jar(struct jar *j)
{
    list_remove(&j->node);
    free(j->name);
    free(j->url);
    free(j->company_id);
    free(j);
}

void cookies_free(struct cookies *c)
{
    list_each (node, &c->jars)
        free_jar(list_entry(node, struct jar, node));
    (void)pthread_mutex_destroy(&c->lock);
    secret_wipe(c->key, sizeof(c->key));
    free(c);
}

static bool is_jar_of(const struct jar *j, const struct tenant *t)
{
    return strcmp(j->name, t->name) == 0 && strcmp(j->url, t->url) == 0 &&
           strcmp(j->company_id, t->company_id) == 0;
}

/* NULL: the tenant has no jar yet. The lock must be held. */
static struct jar *find_jar(struct cookies *c, const struct tenant *t)
{
    list_each (node, &c->jars) {
        struct jar *j = list_entry(node, struct jar, node);
        if (is_jar_of(j, t))
            return j;
    }
    return NULL;
}

/* Creates the jar if there is none. The lock must be held. */
static struct jar *take_jar(struct cookies *c, const struct tenant *t)
{
    struct jar *j = find_jar(c, t);

    if (j != NULL)
        return j;
    j = NEW(struct jar);
    j->name = mem_copy_string(t->name);
    j->url = mem_copy_string(t->url);
    j->company_id = mem_copy_string(t->company_id);
    list_append(&c->jars, &j->node);
    return j;
}

static bool is_configured(const struct jar *j, const struct config *config)
{
    for (size_t i = 0; i < config->ntenants; i++)
        if (is_jar_of(j, config->tenants[i]))
            return true;
    return false;
}

void cookies_keep_only(struct cookies *c, const struct config *config)
{
    (void)pthread_mutex_lock(&c->lock);
    list_each (node, &c->jars) {
        struct jar *j = list_entry(node, struct jar, node);
        if (!is_configured(j, config))
            free_jar(j);
    }
    (void)pthread_mutex_unlock(&c->lock);
}

/* ---- cookies ---- */

/* Callers trim names and values (RFC 6265, 5.2), and some add or remove quotes. So the hash is made
 * of the trimmed name and of the trimmed value without quotes. */
static struct mac mac_of(const struct cookies *c, struct slice pair)
{
    unsigned char mac[SECRET_MAC_SIZE];
    struct slice parts[2] = {{"", 0}, pair}, *value = &parts[1];
    struct mac out;

    if (pair.n > 0 && memchr(pair.p, '=', pair.n) != NULL)
        parts[0] = slice_trim(slice_split(value, '='));
    *value = slice_trim(*value);
    if (value->n >= 2 && value->p[0] == '"' && value->p[value->n - 1] == '"')
        *value = (struct slice){value->p + 1, value->n - 2};
    secret_mac(c->key, parts, ARRAY_LEN(parts), mac);
    memcpy(out.bytes, mac, sizeof(out.bytes));
    return out;
}

static struct set *set_of(struct jar *j, const struct mac *m)
{
    return &j->sets[(m->bytes[0] | (size_t)m->bytes[1] << 8) % SETS];
}

/* Puts m first. The hash at i is overwritten, and those before it move one place towards the
 * end. */
static void put_first(struct set *s, size_t i, const struct mac *m)
{
    memmove(&s->macs[1], &s->macs[0], i * sizeof(s->macs[0]));
    s->macs[0] = *m;
}

static bool meet(struct set *s, const struct mac *m)
{
    for (size_t i = 0; i < s->n; i++) {
        if (memcmp(s->macs[i].bytes, m->bytes, MAC_SIZE) == 0) {
            put_first(s, i, m);
            return true;
        }
    }
    return false;
}

void cookies_remember(struct cookies *c, const struct tenant *t, struct slice set_cookie)
{
    struct mac m = mac_of(c, slice_trim(slice_split(&set_cookie, ';')));

    (void)pthread_mutex_lock(&c->lock);
    struct set *s = set_of(take_jar(c, t), &m);
    if (!meet(s, &m)) {
        if (s->n < WAYS)
            s->n++;
        put_first(s, s->n - 1U, &m);
    }
    (void)pthread_mutex_unlock(&c->lock);
}

static bool is_known(struct cookies *c, const struct tenant *t, struct slice pair)
{
    struct mac m = mac_of(c, pair);

    (void)pthread_mutex_lock(&c->lock);
    struct jar *j = find_jar(c, t);
    bool known = j != NULL && meet(set_of(j, &m), &m);
    (void)pthread_mutex_unlock(&c->lock);
    return known;
}

/* Returns true the first time that a cookie of this tenant's requests is left out. */
static bool note_left_out(struct cookies *c, const struct tenant *t)
{
    (void)pthread_mutex_lock(&c->lock);
    struct jar *j = take_jar(c, t);
    bool first = !j->left_out;
    j->left_out = true;
    (void)pthread_mutex_unlock(&c->lock);
    return first;
}

bool cookies_write(struct cookies *c, const struct tenant *t, struct slice value, struct buf *out)
{
    bool any = false, left_out = false;

    while (value.n > 0) {
        struct slice part = slice_split(&value, ';'), pair = slice_trim(part);
        if (pair.n == 0)
            continue;
        if (!is_known(c, t, pair)) {
            left_out = true;
            continue;
        }
        buf_add_string(out, any ? ";" : "");
        buf_add_slice(out, any ? part : pair);
        any = true;
    }
    return left_out && note_left_out(c, t);
}
