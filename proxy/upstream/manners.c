#include "upstream/manners.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "http/mask.h"

/* Paths for which the server wants no requests now, and that no `rate` covers: a path without a
 * `rate`, or the paths of a `rate` that was removed from the configuration. */
struct held {
    struct list node;
    struct slice key;     /* the path's first two segments; of `rate`: how all its paths begin */
    struct pattern *rate; /* NULL: a path without a `rate` */
    struct gate *gate;
};

/* What goes on with the next generation. */
struct account {
    atomic_int refs;
    _Atomic uint64_t rate_waits, held_waits, asked_429, asked_503;
    _Atomic int nheld;    /* length of the list */
    pthread_mutex_t lock; /* protects the list */
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
    if (h->rate != NULL)
        pattern_free(h->rate);
    free(h->rate);
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

/* If there are too many entries, the oldest is forgotten. Takes ownership of the pattern and the
 * reference to the gate. */
static void append(struct account *a, struct slice key, struct pattern *rate, struct gate *gate)
{
    struct held *h = NEW(struct held);

    if (atomic_load(&a->nheld) >= MANNERS_HELD_MAX)
        forget(a, list_entry(list_first(&a->held), struct held, node));
    *h = (struct held){.key = {mem_copy_bytes(key.p, key.n), key.n}, .rate = rate, .gate = gate};
    list_append(&a->held, &h->node);
    atomic_fetch_add(&a->nheld, 1);
}

/* ---- another generation ---- */

static int64_t held_us(struct gate *g)
{
    struct gate_view v;

    gate_look(g, &v);
    return v.held_us;
}

static bool has_rate(const struct tenant *t, const char *text)
{
    for (size_t i = 0; i < t->nrates; i++)
        if (strcmp(t->rates[i].text, text) == 0)
            return true;
    return false;
}

/* The text with which all paths of a pattern begin. */
static struct slice beginning_of(const struct pattern *p)
{
    struct slice text = {p->text.n == 0 ? "" : p->text.p, p->text.n};
    const char *star = text.n == 0 ? NULL : memchr(text.p, '*', text.n);

    return star == NULL ? text : (struct slice){text.p, (size_t)(star - text.p)};
}

/* If a `rate` is removed while the server wants no requests for its paths, the hold stays: the
 * server has asked for it, whatever the configuration says. Call it with the lock held. */
static void keep_held(struct account *a, const struct manners *previous,
                      const struct tenant *previous_tenant, const struct tenant *t)
{
    for (size_t i = 0; i < previous->ngates; i++) {
        const struct tenant_rate *r = &previous_tenant->rates[i];
        if (has_rate(t, r->text) || held_us(previous->gates[i]) == 0)
            continue;
        struct pattern *copy = NEW(struct pattern);
        *copy = (struct pattern){.covers_batch = r->path.covers_batch};
        pattern_set(copy, slice_of(r->text));
        append(a, beginning_of(copy), copy, gate_ref(previous->gates[i]));
    }
}

/* The gate of a `rate` that was removed and is back; NULL: there is none. Call it with the lock
 * held. */
static struct gate *take_back(struct account *a, const char *text)
{
    struct gate *found = NULL;

    list_each (node, &a->held) {
        struct held *h = list_entry(node, struct held, node);
        if (h->rate == NULL || strcmp(gate_path(h->gate), text) != 0)
            continue;
        gate_unref(found);
        found = gate_ref(h->gate);
        forget(a, h);
    }
    return found;
}

/* The new gate takes over the holds of all paths that the `rate` may cover, because a hold applies
 * to all paths of a `rate`. Call it with the lock held. */
static struct gate *new_gate(const struct account *a, const struct tenant_rate *r)
{
    struct gate *g = gate_new(r->text, r->limit);

    list_each (node, &a->held) {
        const struct held *h = list_entry(node, struct held, node);
        const int64_t left = pattern_may_fit(&r->path, h->key) ? held_us(h->gate) : 0;
        if (left > 0)
            (void)gate_hold(g, left);
    }
    return g;
}

/* If the previous generation has a gate for the same path, that gate goes on, with its waiting
 * requests. Call it with the lock held. */
static struct gate *gate_for(struct account *a, const struct tenant_rate *r,
                             const struct manners *previous, const struct tenant *previous_tenant)
{
    struct gate *g = NULL;

    for (size_t i = 0; g == NULL && previous != NULL && i < previous->ngates; i++)
        if (strcmp(previous_tenant->rates[i].text, r->text) == 0)
            g = gate_ref(previous->gates[i]);
    if (g == NULL)
        g = take_back(a, r->text);
    if (g == NULL)
        return new_gate(a, r);
    gate_set_limit(g, r->limit);
    return g;
}

/* respect-retry-after is off, so nothing is held any more. */
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
    (void)pthread_mutex_lock(&m->account->lock);
    if (previous != NULL)
        keep_held(m->account, previous, previous_tenant, t);
    for (size_t i = 0; i < m->ngates; i++)
        m->gates[i] = gate_for(m->account, &t->rates[i], previous, previous_tenant);
    (void)pthread_mutex_unlock(&m->account->lock);
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

/* ---- paths for which the server wants no requests ---- */

/* The path up to its third '/': "/odata/v2" for "/odata/v2/User". */
static struct slice first_segments(struct slice path)
{
    int slashes = 0;

    for (size_t i = 0; i < path.n; i++)
        if (path.p[i] == '/' && ++slashes == 3)
            return (struct slice){path.p, i};
    return path;
}

/* Call it with the lock held. */
static void forget_what_is_over(struct account *a)
{
    list_each (node, &a->held) {
        struct held *h = list_entry(node, struct held, node);
        struct gate_view v;
        gate_look(h->gate, &v);
        if (v.held_us == 0 && v.waiting == 0)
            forget(a, h);
    }
}

/* Finds the entry of a path. If several fit, returns the one that lasts longest. Call it with the
 * lock held. */
static struct held *find_held(struct account *a, struct slice path, bool of_rates_too)
{
    const struct slice key = first_segments(path);
    struct held *found = NULL;
    int64_t longest = -1;

    forget_what_is_over(a);
    list_each (node, &a->held) {
        struct held *h = list_entry(node, struct held, node);
        struct gate_view v;
        gate_look(h->gate, &v);
        if (v.held_us > longest &&
            (h->rate == NULL ? slice_eq(h->key, key)
                             : of_rates_too && pattern_fits(h->rate, path))) {
            found = h;
            longest = v.held_us;
        }
    }
    return found;
}

static struct gate *new_held(struct account *a, struct slice key)
{
    struct buf shown = {0};

    mask_path(&shown, key);
    buf_add(&shown, "", 1); /* the NUL */
    struct gate *g = gate_new(shown.p, 0);
    buf_free(&shown);
    append(a, key, NULL, g);
    return g;
}

/* Returns the gate of the path's entry; NULL: it has none. */
static struct gate *look_for_held(struct account *a, struct slice path)
{
    (void)pthread_mutex_lock(&a->lock);
    const struct held *h = find_held(a, path, true);
    struct gate *g = h == NULL ? NULL : gate_ref(h->gate);
    (void)pthread_mutex_unlock(&a->lock);
    return g;
}

/* Holds the path for `us` microseconds and returns its gate. *news: see gate_hold(). */
static struct gate *hold_path(struct account *a, struct slice path, int64_t us, bool *news)
{
    const struct slice key = first_segments(path);

    if (key.n > MANNERS_PATH_MAX)
        return NULL;
    (void)pthread_mutex_lock(&a->lock);
    const struct held *h = find_held(a, path, false);
    struct gate *g = gate_ref(h == NULL ? new_held(a, key) : h->gate);
    *news = gate_hold(g, us);
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
    return look_for_held(m->account, path);
}

/* ---- what the server answers ---- */

static struct gate *hold(struct manners *m, const struct tenant *t, struct slice path,
                         int64_t seconds, bool *news)
{
    struct gate *g = find_rate(m, t, path);

    if (g == NULL)
        return hold_path(m->account, path, seconds * 1000000, news);
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

/* ---- for the status ---- */

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
    forget_what_is_over(a);
    list_each (node, &a->held)
        show(list_entry(node, struct held, node)->gate, f, ctx);
    (void)pthread_mutex_unlock(&a->lock);
}
