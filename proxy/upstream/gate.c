#include "upstream/gate.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "policy/rate.h"
#include "upstream/upstreams.h"

enum { SECOND_US = 1000000 };

struct gate {
    atomic_int refs;
    char *path;
    pthread_mutex_t lock; /* protects all that follows */
    struct rate rate;
    struct line line;
};

/* A request in the line. It outlives its crossing while a call to on_called() is on its way. */
struct ticket {
    struct line_place place;
    struct gate *gate;
    struct loop *loop;      /* of its worker */
    struct crossing *owner; /* only its worker may use it */
    enum { TICKET_WAITS, TICKET_CALLED, TICKET_LEFT } state;
    int slot; /* valid in TICKET_CALLED */
};

/* A worker's timer for a gate. It exists while somebody waits there for time to pass. */
struct watch {
    struct list node;
    struct upstreams *all;
    struct gate *gate;
    struct timer timer;
    int64_t due;
};

/* ---- gates ---- */

struct gate *gate_new(const char *path, size_t limit)
{
    struct gate *g = NEW(struct gate);

    atomic_init(&g->refs, 1);
    g->path = mem_copy_string(path);
    (void)pthread_mutex_init(&g->lock, NULL);
    rate_set(&g->rate, limit);
    line_init(&g->line);
    return g;
}

struct gate *gate_ref(struct gate *g)
{
    atomic_fetch_add_explicit(&g->refs, 1, memory_order_relaxed);
    return g;
}

void gate_unref(struct gate *g)
{
    if (g == NULL || atomic_fetch_sub_explicit(&g->refs, 1, memory_order_acq_rel) > 1)
        return;
    (void)pthread_mutex_destroy(&g->lock);
    rate_free(&g->rate);
    free(g->path);
    free(g);
}

static void lock(struct gate *g)
{
    (void)pthread_mutex_lock(&g->lock);
}

static void unlock(struct gate *g)
{
    (void)pthread_mutex_unlock(&g->lock);
}

const char *gate_path(const struct gate *g)
{
    return g->path;
}

void gate_look(struct gate *g, struct gate_view *out)
{
    int64_t now = clock_monotonic_us();

    lock(g);
    *out = (struct gate_view){g->rate.limit, g->line.length,
                              g->rate.held > now ? g->rate.held - now : 0};
    unlock(g);
}

bool gate_hold(struct gate *g, int64_t us)
{
    int64_t now = clock_monotonic_us();

    lock(g);
    bool news = g->rate.held <= now;
    rate_hold(&g->rate, now + us);
    unlock(g);
    return news;
}

/* ---- waiting requests are called ---- */

static void free_ticket(struct ticket *t)
{
    gate_unref(t->gate);
    free(t);
}

static void stop_waiting(struct crossing *c)
{
    c->ticket = NULL;
    c->waited_us = clock_monotonic_us() - c->came_us;
    timer_stop(&c->timer);
    quota_give(c->all->queue);
}

/* Runs in the worker of the request that was called. */
static void on_called(void *arg)
{
    struct ticket *t = arg;
    struct crossing *c = t->owner;

    lock(t->gate);
    bool left = t->state == TICKET_LEFT;
    unlock(t->gate);
    if (!left) {
        stop_waiting(c);
        c->slot = t->slot;
        c->open = true;
    }
    free_ticket(t);
    if (!left)
        c->done(c->ctx, NULL);
}

/* Calls the waiting requests that may go on. Returns when the next one may go on (monotonic, in
 * microseconds); RATE_NEVER if nobody waits, or if that is not known yet. Call it with the lock
 * held. */
static int64_t serve(struct gate *g)
{
    int64_t now = clock_monotonic_us();
    int slot;

    while (g->line.length > 0) {
        if ((slot = rate_take(&g->rate, now)) == RATE_NO_SLOT)
            return rate_next(&g->rate, now);
        struct ticket *t = list_entry(line_next(&g->line), struct ticket, place);
        t->slot = slot;
        t->state = TICKET_CALLED;
        loop_post(t->loop, on_called, t);
    }
    return RATE_NEVER;
}

static void on_due(void *ctx);

static struct watch *watch_of(struct upstreams *all, struct gate *g)
{
    list_each (node, &all->watches) {
        struct watch *w = list_entry(node, struct watch, node);
        if (w->gate == g)
            return w;
    }
    struct watch *w = NEW(struct watch);
    w->all = all;
    w->gate = gate_ref(g);
    timer_init(&w->timer, on_due, w);
    list_append(&all->watches, &w->node);
    return w;
}

static void free_watch(struct watch *w)
{
    timer_stop(&w->timer);
    list_remove(&w->node);
    gate_unref(w->gate);
    free(w);
}

/* Call it after each change of the gate. Serves it, and starts a timer if a later moment may let
 * another request go on. */
static void serve_and_watch(struct upstreams *all, struct gate *g)
{
    lock(g);
    int64_t due = serve(g);
    unlock(g);
    if (due == RATE_NEVER || all->ended)
        return;
    struct watch *w = watch_of(all, g);
    if (timer_runs(&w->timer) && w->due <= due)
        return;
    int64_t us = due - clock_monotonic_us();
    w->due = due;
    timer_start(all->loop, &w->timer, us > 0 ? us / 1000 + 1 : 1);
}

static void on_due(void *ctx)
{
    struct watch *w = ctx;

    serve_and_watch(w->all, w->gate);
    if (!timer_runs(&w->timer))
        free_watch(w);
}

void gate_end_watches(struct upstreams *all)
{
    list_each (node, &all->watches)
        free_watch(list_entry(node, struct watch, node));
}

void gate_set_limit(struct gate *g, size_t limit)
{
    lock(g);
    rate_set(&g->rate, limit);
    (void)serve(g);
    unlock(g);
}

void gate_release(struct gate *g)
{
    lock(g);
    g->rate.held = 0;
    (void)serve(g);
    unlock(g);
}

/* ---- one request ---- */

static void explain_timeout(struct crossing *c, struct failure *why)
{
    struct gate_view v;

    gate_look(c->gate, &v);
    if (v.held_us > 0) {
        int seconds = (int)((v.held_us + SECOND_US - 1) / SECOND_US);
        failure_set(why, FAIL_SERVER_ASKED_TO_WAIT,
                    "The server has answered 429 or 503 with Retry-After, and wants no request for "
                    "%s for another %d s.",
                    c->gate->path, seconds);
        failure_wait(why, seconds);
        return;
    }
    failure_set(why, FAIL_QUEUE_TIMEOUT,
                "The server is sent %zu requests a second for %s (`rate`), and it was not this "
                "one's turn in time.",
                v.limit, c->gate->path);
}

static void on_timeout(void *ctx)
{
    struct crossing *c = ctx;
    struct ticket *t = c->ticket;
    struct failure why;

    lock(c->gate);
    bool waits = t->state == TICKET_WAITS;
    if (waits)
        line_leave(&c->gate->line, &t->place);
    unlock(c->gate);
    if (!waits)
        return; /* it was called just now: on_called() will come */
    stop_waiting(c);
    free_ticket(t);
    explain_timeout(c, &why);
    c->done(c->ctx, &why);
}

/* Puts c into the line. Call it with the lock held. */
static void join(struct crossing *c, struct gate *g, struct line_caller whose)
{
    struct ticket *t = NEW(struct ticket);

    t->gate = gate_ref(g);
    t->loop = c->all->loop;
    t->owner = c;
    c->ticket = t;
    line_join(&g->line, &t->place, whose);
}

/* All requests of the process share the queue. If it is half full, a request that would wait beyond
 * its queue-timeout anyway is refused at once. Call it with the lock held. */
static bool is_hopeless(const struct gate *g, const struct upstreams *all, int64_t now)
{
    return g->rate.held - now > all->generation->config->queue_timeout * 1000 &&
           quota_is_half_taken(all->queue);
}

enum crossing_result crossing_begin(struct crossing *c, struct gate *g, struct upstreams *all,
                                    struct line_caller whose, struct failure *why)
{
    int64_t now = clock_monotonic_us();

    c->gate = g;
    c->all = all;
    c->came_us = now;
    lock(g);
    c->was_held = g->rate.held > now;
    c->slot = g->line.length == 0 ? rate_take(&g->rate, now) : RATE_NO_SLOT;
    c->open = c->slot != RATE_NO_SLOT;
    bool hopeless = !c->open && is_hopeless(g, all, now);
    bool refused = hopeless || (!c->open && !quota_take(all->queue));
    if (!c->open && !refused)
        join(c, g, whose);
    unlock(g);
    if (c->open)
        return CROSSING_OPEN;
    if (hopeless)
        explain_timeout(c, why);
    else if (refused)
        failure_plain(why, FAIL_QUEUE_FULL);
    if (refused)
        return CROSSING_REFUSED;
    timer_init(&c->timer, on_timeout, c);
    timer_start(all->loop, &c->timer, all->generation->config->queue_timeout);
    serve_and_watch(all, g);
    return CROSSING_WAITS;
}

void crossing_note_sent(struct crossing *c)
{
    c->sent_us = clock_monotonic_us();
    lock(c->gate);
    rate_note_sent(&c->gate->rate, c->slot, c->sent_us);
    unlock(c->gate);
    serve_and_watch(c->all, c->gate);
}

void crossing_note_answer(struct crossing *c)
{
    int64_t now = clock_monotonic_us();

    if (now - c->sent_us >= RATE_TRANSIT_US)
        return;
    lock(c->gate);
    rate_note_answer(&c->gate->rate, c->slot, c->sent_us, now);
    unlock(c->gate);
    serve_and_watch(c->all, c->gate);
}

/* Leaves the line if c waits. Gives back its slot if c may be sent but was not. */
static void give_up(struct crossing *c)
{
    struct ticket *t = c->ticket;
    bool waited = t != NULL, called = false;

    lock(c->gate);
    if (waited && t->state == TICKET_WAITS)
        line_leave(&c->gate->line, &t->place);
    else if (waited)
        called = true;
    if (called) {
        t->state = TICKET_LEFT;
        rate_give_back(&c->gate->rate, t->slot);
    } else if (c->open && c->sent_us == 0) {
        rate_give_back(&c->gate->rate, c->slot);
    }
    unlock(c->gate);
    if (waited)
        stop_waiting(c);
    if (waited && !called)
        free_ticket(t);
}

void crossing_end(struct crossing *c)
{
    if (c->gate == NULL)
        return;
    struct gate *g = c->gate;
    give_up(c);
    if (c->sent_us == 0)
        serve_and_watch(c->all, g);
    c->gate = NULL;
    c->open = false;
    c->sent_us = 0;
    gate_unref(g);
}
