#include "caller/ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/slot.h"
#include "sf/cause.h"

typedef _Atomic int64_t moment;

struct identity_cell {
    moment since, last_success, last_refusal, previous_success;
    unsigned char fingerprint[CREDENTIAL_FINGERPRINT_SIZE]; /* only the writer uses it */
    bool present;
};

struct ledger_cell {
    struct ledger_cell *next;
    char *tenant;
    void *counts;
    _Atomic uint64_t calls, succeeded, failed, hinted;
    moment last_success, last_failure, last_answer;
    struct identity_cell identities[IDENTITIES];
};

/* What the writer needs to find the slot of a kind of failure. */
struct kind {
    const struct ledger_cell *cell;
    const char *code;
    int64_t first, last;
    uint64_t count;
};

struct ledger {
    struct ledger *next;
    int64_t begun;
    struct ledger_cell *_Atomic cells; /* new cells are added at the front */
    size_t nkinds;
    struct kind kinds[LEDGER_FAILURES];
    struct slot *_Atomic slots[LEDGER_FAILURES]; /* one for each kind; NULL: none yet */
};

struct ledger *ledger_new(struct ledger **all)
{
    struct ledger *l = NEW(struct ledger);

    l->begun = clock_wall_us();
    l->next = *all;
    *all = l;
    return l;
}

void ledger_free(struct ledger *l)
{
    if (l == NULL)
        return;
    for (struct ledger_cell *c = atomic_load(&l->cells), *next; c != NULL; c = next) {
        next = c->next;
        free(c->tenant);
        free(c);
    }
    for (size_t i = 0; i < LEDGER_FAILURES; i++)
        slot_free(atomic_load(&l->slots[i]));
    free(l);
}

/* ---- the writer ---- */

static int64_t get(const moment *m)
{
    return atomic_load_explicit(m, memory_order_relaxed);
}

static void set(moment *m, int64_t to)
{
    atomic_store_explicit(m, to, memory_order_relaxed);
}

/* An addition without a locked instruction, because there is only one writer. */
static void count(_Atomic uint64_t *n)
{
    atomic_store_explicit(n, atomic_load_explicit(n, memory_order_relaxed) + 1,
                          memory_order_relaxed);
}

static struct ledger_cell *find(const struct ledger *l, const char *tenant)
{
    struct ledger_cell *c = atomic_load_explicit(&l->cells, memory_order_acquire);

    while (c != NULL && strcmp(c->tenant, tenant) != 0)
        c = c->next;
    return c;
}

/* The counts begin again if the tenant has got another certificate. */
static void adopt(struct identity_cell *i, const struct credential *c)
{
    bool same = i->present &&
                memcmp(i->fingerprint, credential_fingerprint(c), sizeof(i->fingerprint)) == 0;

    if (same)
        return;
    set(&i->previous_success, get(&i->last_success));
    set(&i->last_success, 0);
    set(&i->last_refusal, 0);
    set(&i->since, clock_wall_us());
    memcpy(i->fingerprint, credential_fingerprint(c), sizeof(i->fingerprint));
    i->present = true;
}

struct ledger_cell *ledger_cell(struct ledger *l, const struct tenant *t)
{
    struct ledger_cell *c = find(l, t->name);

    if (c == NULL) {
        c = NEW(struct ledger_cell);
        c->tenant = mem_copy_string(t->name);
        c->next = atomic_load_explicit(&l->cells, memory_order_relaxed);
        atomic_store_explicit(&l->cells, c, memory_order_release);
    }
    for (int i = 0; i < IDENTITIES; i++)
        if (tenant_has_identity(t, i))
            adopt(&c->identities[i], t->identities[i].credential);
    return c;
}

void **ledger_counts(struct ledger_cell *c)
{
    return &c->counts;
}

/* The kind with that tenant and code. If there is none, a free one, or the one that has not come
 * for the longest time. */
static size_t find_kind(struct ledger *l, const struct record *r, const char *code)
{
    size_t oldest = 0;

    for (size_t i = 0; i < l->nkinds; i++) {
        if (l->kinds[i].cell == r->cell && l->kinds[i].code == code)
            return i;
        if (l->kinds[i].last < l->kinds[oldest].last)
            oldest = i;
    }
    size_t at = l->nkinds < LEDGER_FAILURES ? l->nkinds++ : oldest;
    l->kinds[at] = (struct kind){.cell = r->cell, .code = code};
    return at;
}

static void describe(const struct record *r, struct ledger_failure *f)
{
    struct record_words words = {0};

    (void)record_words(r, &words);
    f->token = words.token;
    f->code = words.code;
    f->cure = words.cure;
    f->hinted = r->cause != NULL;
    f->status = r->status;
    (void)snprintf(f->tenant, sizeof(f->tenant), "%s", r->tenant == NULL ? "" : r->tenant);
    (void)snprintf(f->sentence, sizeof(f->sentence), "%s", words.sentence);
}

static void keep_failure(struct ledger *l, const struct record *r, int64_t now)
{
    struct ledger_failure f = {0};

    describe(r, &f);
    size_t at = find_kind(l, r, f.code);
    struct kind *k = &l->kinds[at];
    k->first = k->count == 0 ? now : k->first;
    k->last = now;
    f.first = k->first;
    f.last = now;
    f.count = ++k->count;
    struct slot *s = atomic_load_explicit(&l->slots[at], memory_order_relaxed);
    if (s == NULL) {
        s = slot_new(sizeof(f));
        slot_write(s, &f);
        atomic_store_explicit(&l->slots[at], s, memory_order_release);
    } else {
        slot_write(s, &f);
    }
}

static bool is_callers_fault(const struct record *r)
{
    return r->failure != NULL && fail_info(r->failure->id)->blame == BLAME_CALLER;
}

static void note_failure(struct ledger_cell *c, const struct record *r, int64_t now)
{
    count(r->failure != NULL ? &c->failed : &c->hinted);
    if (r->failure != NULL && r->cause != NULL)
        count(&c->hinted);
    if (!is_callers_fault(r))
        set(&c->last_failure, now);
    if (r->failure != NULL && r->failure->id == FAIL_CERTIFICATE_REFUSED)
        set(&c->identities[r->identity].last_refusal, now);
}

static void note_answer(struct ledger_cell *c, const struct record *r, int64_t now)
{
    if (r->status > 0 && r->status < 500)
        set(&c->last_answer, now);
    if (r->status == 0 || r->status >= 400)
        return;
    count(&c->succeeded);
    set(&c->last_success, now);
    set(&c->identities[r->identity].last_success, now);
}

void ledger_note(struct ledger *l, const struct record *r)
{
    int64_t now = r->begun_wall_us + r->total_us;
    bool failed = r->failure != NULL || r->cause != NULL;

    if (r->cell != NULL) {
        count(&r->cell->calls);
        if (failed)
            note_failure(r->cell, r, now);
        else
            note_answer(r->cell, r, now);
    }
    if (failed)
        keep_failure(l, r, now);
}

/* ---- readers ---- */

static void keep_later(int64_t *out, int64_t other)
{
    if (other > *out)
        *out = other;
}

static void add_identity(struct ledger_identity *out, const struct identity_cell *i)
{
    keep_later(&out->since, get(&i->since));
    keep_later(&out->last_success, get(&i->last_success));
    keep_later(&out->last_refusal, get(&i->last_refusal));
    keep_later(&out->previous_success, get(&i->previous_success));
}

static void add_cell(struct ledger_sum *out, const struct ledger_cell *c)
{
    out->calls += atomic_load_explicit(&c->calls, memory_order_relaxed);
    out->succeeded += atomic_load_explicit(&c->succeeded, memory_order_relaxed);
    out->failed += atomic_load_explicit(&c->failed, memory_order_relaxed);
    out->hinted += atomic_load_explicit(&c->hinted, memory_order_relaxed);
    keep_later(&out->last_success, get(&c->last_success));
    keep_later(&out->last_failure, get(&c->last_failure));
    keep_later(&out->last_answer, get(&c->last_answer));
    for (int i = 0; i < IDENTITIES; i++)
        add_identity(&out->identities[i], &c->identities[i]);
}

void ledger_add_up(const struct ledger *all, const char *tenant, struct ledger_sum *out)
{
    *out = (struct ledger_sum){0};
    for (const struct ledger *l = all; l != NULL; l = l->next) {
        const struct ledger_cell *c = find(l, tenant);
        out->begun = l->begun;
        if (c != NULL)
            add_cell(out, c);
    }
}

/* Adds the same kind of failure of another worker. The sentence is that of the later failure. */
static void merge(struct ledger_failure *into, const struct ledger_failure *f)
{
    struct ledger_failure later = into->last >= f->last ? *into : *f;

    later.first = into->first < f->first ? into->first : f->first;
    later.count = into->count + f->count;
    *into = later;
}

static void collect(struct ledger_failure *all, size_t *n, const struct ledger_failure *f)
{
    for (size_t i = 0; i < *n; i++) {
        if (all[i].code == f->code && strcmp(all[i].tenant, f->tenant) == 0) {
            merge(&all[i], f);
            return;
        }
    }
    all[(*n)++] = *f;
}

static int later_first(const void *a, const void *b)
{
    const struct ledger_failure *x = a, *y = b;

    return x->last == y->last ? 0 : x->last > y->last ? -1 : 1;
}

struct ledger_failure *ledger_failures(const struct ledger *all, size_t *count_out)
{
    struct ledger_failure *out = NULL, f;
    size_t n = 0;

    for (const struct ledger *l = all; l != NULL; l = l->next) {
        out = mem_grow(out, (n + LEDGER_FAILURES) * sizeof(out[0]));
        for (size_t i = 0; i < LEDGER_FAILURES; i++) {
            const struct slot *s = atomic_load_explicit(&l->slots[i], memory_order_acquire);
            if (s == NULL)
                continue;
            slot_read(s, &f);
            collect(out, &n, &f);
        }
    }
    if (n > 0)
        qsort(out, n, sizeof(out[0]), later_first);
    *count_out = n < LEDGER_FAILURES ? n : LEDGER_FAILURES;
    return out;
}
