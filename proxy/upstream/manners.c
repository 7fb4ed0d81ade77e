#include "upstream/manners.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"
#include "http/mask.h"

/* A path without a `rate` that is to be left alone. */
struct held {
    struct list node;
    struct slice key; /* its first two segments */
    struct gate *gate;
};

/* What lasts longer than a generation. */
struct account {
    atomic_int refs;
    _Atomic uint64_t rate_waits, held_waits, asked_429, asked_503;
    _Atomic int nheld;    /* of the list */
    pthread_mutex_t lock; /* for the list */
    struct list held;
};

struct manners {
    struct account *account;
    struct gate **gates; /* one for each `rate` of the tenant */
    size_t ngates;
};

/* ---- beginning and end ---- */

static struct account *account_new(void)
{
    struct account *a = NEW(struct account);

    atomic_init(&a->refs, 1);
    (void)pthread_mutex_init(&a->lock, NULL);
    list_init(&a->held);
    return a;
}

static void forget(struct account *a, struct held *h)
{
    list_remove(&h->node);
    atomic_fetch_sub(&a->nheld, 1);
    gate_unref(h->gate);
    free((char *)(uintptr_t)h->key.p);
    free(h);
}

static void account_unref(struct account *a)
{
    if (atomic_fetch_sub_explicit(&a->refs, 1, memory_order_acq_rel) > 1)
        return;
    list_each (node, &a->held)
        forget(a, list_entry(node, struct held, node));
    (void)pthread_mutex_destroy(&a->lock);
    free(a);
}

/* The gate of the same path goes on, with those that wait there. */
static struct gate *gate_for(const struct tenant_rate *r, const struct manners *previous,
                             const struct tenant *previous_tenant)
{
    for (size_t i = 0; previous != NULL && i < previous->ngates; i++) {
        if (strcmp(previous_tenant->rates[i].text, r->text) != 0)
            continue;
        gate_set_limit(previous->gates[i], r->limit);
        return gate_ref(previous->gates[i]);
    }
    return gate_new(r->text, r->limit);
}

/* respect-retry-after was switched off. */
static void release(struct manners *m)
{
    struct account *a = m->account;

    for (size_t i = 0; i < m->ngates; i++)
        gate_release(m->gates[i]);
    (void)pthread_mutex_lock(&a->lock);
    list_each (node, &a->held)
        gate_release(list_entry(node, struct held, node)->gate);
    (void)pthread_mutex_unlock(&a->lock);
}

struct manners *manners_new(const struct tenant *t, const struct manners *previous,
                            const struct tenant *previous_tenant)
{
    struct manners *m = NEW(struct manners);

    m->account = previous == NULL ? account_new() : previous->account;
    if (previous != NULL)
        atomic_fetch_add_explicit(&m->account->refs, 1, memory_order_relaxed);
    m->ngates = t->nrates;
    m->gates = mem_new((m->ngates + 1) * sizeof(m->gates[0]));
    for (size_t i = 0; i < m->ngates; i++)
        m->gates[i] = gate_for(&t->rates[i], previous, previous_tenant);
    if (!t->respect_retry_after)
        release(m);
    return m;
}

void manners_free(struct manners *m)
{
    for (size_t i = 0; i < m->ngates; i++)
        gate_unref(m->gates[i]);
    account_unref(m->account);
    free(m->gates);
    free(m);
}

/* ---- paths that are to be left alone ---- */

/* "/odata/v2" of "/odata/v2/User": with what comes before the third '/'. */
static struct slice first_segments(struct slice path)
{
    int slashes = 0;

    for (size_t i = 0; i < path.n; i++)
        if (path.p[i] == '/' && ++slashes == 3)
            return (struct slice){path.p, i};
    return path;
}

static bool is_over(const struct held *h)
{
    struct gate_view v;

    gate_look(h->gate, &v);
    return v.held_us == 0 && v.waiting == 0;
}

/* With the lock held; forgets what is over. */
static struct held *find_held(struct account *a, struct slice key)
{
    struct held *found = NULL;

    list_each (node, &a->held) {
        struct held *h = list_entry(node, struct held, node);
        if (is_over(h))
            forget(a, h);
        else if (slice_eq(h->key, key))
            found = h;
    }
    return found;
}

/* With the lock held. Of too many paths, the first is forgotten. */
static struct held *add_held(struct account *a, struct slice key)
{
    struct held *h = NEW(struct held);
    struct buf shown = {0};

    if (atomic_load(&a->nheld) >= MANNERS_HELD_MAX)
        forget(a, list_entry(list_first(&a->held), struct held, node));
    mask_path(&shown, key);
    buf_add(&shown, "", 1); /* the NUL */
    h->gate = gate_new(shown.p, 0);
    buf_free(&shown);
    h->key = (struct slice){mem_copy_bytes(key.p, key.n), key.n};
    list_append(&a->held, &h->node);
    atomic_fetch_add(&a->nheld, 1);
    return h;
}

/* hold_us: for how long to leave it alone; 0: it is only looked for. *news: see gate_hold(). */
static struct gate *take_held(struct account *a, struct slice path, int64_t hold_us, bool *news)
{
    struct slice key = first_segments(path);

    if (key.n > MANNERS_PATH_MAX)
        return NULL;
    (void)pthread_mutex_lock(&a->lock);
    struct held *h = find_held(a, key);
    if (h == NULL && hold_us > 0)
        h = add_held(a, key);
    if (h != NULL && hold_us > 0)
        *news = gate_hold(h->gate, hold_us);
    struct gate *g = h == NULL ? NULL : gate_ref(h->gate);
    (void)pthread_mutex_unlock(&a->lock);
    return g;
}

static struct gate *find_rate(const struct manners *m, const struct tenant *t, struct slice path)
{
    const struct tenant_rate *r = tenant_find_rate(t, path);

    return r == NULL ? NULL : gate_ref(m->gates[r - t->rates]);
}

bool manners_may_concern(const struct manners *m, const struct tenant *t, struct slice beginning)
{
    for (size_t i = 0; i < t->nrates; i++)
        if (pattern_may_fit(&t->rates[i].path, beginning))
            return true;
    return atomic_load_explicit(&m->account->nheld, memory_order_relaxed) > 0;
}

struct gate *manners_find(struct manners *m, const struct tenant *t, struct slice path)
{
    struct gate *g = find_rate(m, t, path);

    if (g != NULL || atomic_load_explicit(&m->account->nheld, memory_order_relaxed) == 0)
        return g;
    return take_held(m->account, path, 0, NULL);
}

/* ---- what the server answers ---- */

static struct gate *hold(struct manners *m, const struct tenant *t, struct slice path,
                         int64_t seconds, bool *news)
{
    struct gate *g = find_rate(m, t, path);

    if (g == NULL)
        return take_held(m->account, path, seconds * 1000000, news);
    *news = gate_hold(g, seconds * 1000000);
    return g;
}

void manners_note_refusal(struct manners *m, const struct tenant *t, struct slice path, int status,
                          int64_t seconds)
{
    atomic_fetch_add_explicit(status == 429 ? &m->account->asked_429 : &m->account->asked_503, 1,
                              memory_order_relaxed);
    if (seconds <= 0 || !t->respect_retry_after)
        return;
    bool news = false;
    if (seconds > MANNERS_WAIT_MAX_S)
        seconds = MANNERS_WAIT_MAX_S;
    struct gate *g = hold(m, t, path, seconds, &news);
    if (news)
        log_say(LOG_WARNING,
                "tenant %s: %s answered %d with Retry-After; requests for %s wait for %lld s",
                t->name, t->peer, status, gate_path(g), (long long)seconds);
    gate_unref(g);
}

void manners_note_wait(struct manners *m, bool was_held)
{
    atomic_fetch_add_explicit(was_held ? &m->account->held_waits : &m->account->rate_waits, 1,
                              memory_order_relaxed);
}

/* ---- who asks ---- */

void manners_add_up(struct manners *m, struct manners_sum *out)
{
    *out = (struct manners_sum){
        atomic_load(&m->account->rate_waits), atomic_load(&m->account->held_waits),
        atomic_load(&m->account->asked_429), atomic_load(&m->account->asked_503)};
}

static void show(struct gate *g, manners_hook *f, void *ctx)
{
    struct gate_view v;

    gate_look(g, &v);
    f(ctx, gate_path(g), &v);
}

void manners_each(struct manners *m, manners_hook *f, void *ctx)
{
    struct account *a = m->account;

    for (size_t i = 0; i < m->ngates; i++)
        show(m->gates[i], f, ctx);
    (void)pthread_mutex_lock(&a->lock);
    (void)find_held(a, SLICE("")); /* forgets what is over */
    list_each (node, &a->held)
        show(list_entry(node, struct held, node)->gate, f, ctx);
    (void)pthread_mutex_unlock(&a->lock);
}
