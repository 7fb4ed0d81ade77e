#include "ops/metrics.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { CLASS = 100, CLASSES = METRICS_CODES / CLASS };

/* The proxy's own answers take less than a millisecond, a large $batch takes minutes. */
const int64_t metrics_bounds[METRICS_BOUNDS] = {
    5000,    10000,   25000,    50000,    100000,   250000,    500000,    1000000,
    2500000, 5000000, 10000000, 30000000, 60000000, 120000000, 300000000, 600000000};

typedef _Atomic uint64_t counter;

struct histogram {
    counter buckets[METRICS_BOUNDS + 1], sum_us;
};

/* Counters of a class of statuses (CLASS of them). */
struct codes {
    counter of[CLASS];
};

/* The counters of one worker and one tenant. */
struct meter {
    struct meter *next;
    char *tenant;
    struct codes *_Atomic codes[CLASSES]; /* NULL: no such status yet */
    counter failures[FAIL_COUNT], hints[CAUSE_COUNT];
    struct histogram duration, handshake[2];
};

struct metrics {
    struct meter *_Atomic meters; /* new ones are added at the front */
};

struct metrics *metrics_new(void)
{
    return NEW(struct metrics);
}

void metrics_free(struct metrics *m)
{
    if (m == NULL)
        return;
    for (struct meter *i = atomic_load(&m->meters), *next; i != NULL; i = next) {
        next = i->next;
        for (size_t k = 0; k < CLASSES; k++)
            free(atomic_load(&i->codes[k]));
        free(i->tenant);
        free(i);
    }
    free(m);
}

/* ---- in the workers ---- */

/* An addition without a locked instruction, because each counter has only one writer. */
static void add(counter *c, uint64_t n)
{
    atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

static struct meter *meter_new(struct metrics *m, const char *tenant)
{
    struct meter *i = NEW(struct meter);

    i->tenant = mem_copy_string(tenant == NULL ? "" : tenant);
    i->next = atomic_load(&m->meters);
    while (!atomic_compare_exchange_weak(&m->meters, &i->next, i))
        continue;
    return i;
}

static counter *counter_of_code(struct meter *i, int status)
{
    struct codes *_Atomic *place = &i->codes[status / CLASS];
    struct codes *codes = atomic_load_explicit(place, memory_order_relaxed);

    if (codes == NULL) {
        codes = NEW(struct codes);
        atomic_store_explicit(place, codes, memory_order_release);
    }
    return &codes->of[status % CLASS];
}

static void observe(struct histogram *h, int64_t us)
{
    size_t i = 0;

    while (i < METRICS_BOUNDS && us > metrics_bounds[i])
        i++;
    add(&h->buckets[i], 1);
    add(&h->sum_us, (uint64_t)us);
}

void metrics_note(struct metrics *m, const struct record *r)
{
    if (*r->counts == NULL)
        *r->counts = meter_new(m, r->tenant);
    struct meter *i = *r->counts;
    add(counter_of_code(i, r->status), 1);
    observe(&i->duration, r->total_us);
    if (r->way != NULL && r->way->resumed >= 0)
        observe(&i->handshake[r->way->resumed], r->way->tls);
    if (r->failure != NULL)
        add(&i->failures[r->failure->id], 1);
    if (r->cause != NULL)
        add(&i->hints[cause_id(r->cause)], 1);
}

/* ---- for readers ---- */

static void sum_up(uint64_t *out, const counter *c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] += atomic_load_explicit(&c[i], memory_order_relaxed);
}

static void sum_histogram(struct metrics_histogram *out, const struct histogram *h)
{
    sum_up(out->buckets, h->buckets, METRICS_BOUNDS + 1);
    sum_up(&out->sum_us, &h->sum_us, 1);
}

static void sum_meter(struct metrics_sum *out, const struct meter *i)
{
    for (size_t k = 0; k < CLASSES; k++) {
        const struct codes *codes = atomic_load_explicit(&i->codes[k], memory_order_acquire);
        if (codes != NULL)
            sum_up(&out->codes[k * CLASS], codes->of, CLASS);
    }
    sum_up(out->failures, i->failures, FAIL_COUNT);
    sum_up(out->hints, i->hints, CAUSE_COUNT);
    sum_histogram(&out->duration, &i->duration);
    for (int k = 0; k < 2; k++)
        sum_histogram(&out->handshake[k], &i->handshake[k]);
}

static struct metrics_sum *find(struct metrics_sum *all, size_t n, const char *tenant)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(all[i].tenant, tenant) == 0)
            return &all[i];
    return NULL;
}

static int by_name(const void *a, const void *b)
{
    const struct metrics_sum *x = a, *y = b;

    return strcmp(x->tenant, y->tenant);
}

struct metrics_sum *metrics_add_up(const struct metrics *m, size_t *count)
{
    const struct meter *first = atomic_load(&m->meters);
    size_t n = 1;

    for (const struct meter *i = first; i != NULL; i = i->next)
        n++;
    struct metrics_sum *all = mem_new(n * sizeof(all[0]));
    all[0].tenant = "";
    n = 1;
    for (const struct meter *i = first; i != NULL; i = i->next) {
        struct metrics_sum *sum = find(all, n, i->tenant);
        if (sum == NULL) {
            sum = &all[n++];
            sum->tenant = i->tenant;
        }
        sum_meter(sum, i);
    }
    qsort(all, n, sizeof(all[0]), by_name);
    *count = n;
    return all;
}
