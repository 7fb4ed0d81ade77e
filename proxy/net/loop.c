#include "net/loop.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/slab.h"

enum {
    AT_ONCE = 64, /* timers that expire in one turn at most */
    /* Events that libevent takes from the kernel at once: at first FEWEST_SEEN, twice as many
     * each time all places were filled, at most MOST_SEEN (epoll.c of libevent 2.1). */
    FEWEST_SEEN = 32,
    MOST_SEEN = 4096,
};

enum { SLABS = 4 }; /* different sizes of objects */

enum { FIRST, USUAL, PRIORITIES }; /* USUAL is libevent's default priority */

/* The timers of one duration. Each new timer expires last, so appending keeps the list sorted. */
struct duration {
    int64_t ms;
    struct list timers;
};

struct grave {
    void *object;
    void (*release)(void *object);
};

struct letter {
    struct list node;
    void (*run)(void *ctx);
    void *ctx;
};

struct loop {
    struct event_base *base;
    bool stopped;
    uint64_t turns;
    /* Events that libevent takes at once, at least: see FEWEST_SEEN. */
    unsigned seen_at_once;
    unsigned reads;    /* streams that were read in this turn */
    bool had_first;    /* one of them had the priority FIRST */
    bool now_is_fresh; /* `now` was read in this turn */
    int64_t now;

    struct event tick;
    int64_t tick_at; /* when the tick fires; 0: it is not armed */
    size_t ndurations;
    struct duration **durations;
    struct slab *slabs[SLABS]; /* one for each size; the rest is NULL */

    struct list tasks;
    struct grave *graves;
    size_t ngraves, graves_cap;

    pthread_mutex_t mail_lock;
    struct list mail;
    int mail_fd;
    struct event mail_event;

    struct loop_room *room;
};

/* The clock is read at the first call of a turn, because the turn may have waited for a long time
 * before its first callback. */
int64_t loop_now(struct loop *l)
{
    if (!l->now_is_fresh) {
        l->now = clock_monotonic_us() / 1000;
        l->now_is_fresh = true;
    }
    return l->now;
}

/* ---- timers ---- */

void timer_init(struct timer *t, void (*on_expiry)(void *ctx), void *ctx)
{
    list_init(&t->node);
    t->on_expiry = on_expiry;
    t->ctx = ctx;
}

/* The list of that duration. If there is none, an empty list of another duration is used. */
static struct duration *duration_of(struct loop *l, int64_t ms)
{
    struct duration *d = NULL;

    for (size_t i = 0; i < l->ndurations; i++) {
        if (l->durations[i]->ms == ms)
            return l->durations[i];
        if (list_empty(&l->durations[i]->timers))
            d = l->durations[i];
    }
    if (d == NULL) {
        d = NEW(struct duration);
        list_init(&d->timers);
        l->durations = mem_grow(l->durations, (l->ndurations + 1) * sizeof(d));
        l->durations[l->ndurations++] = d;
    }
    d->ms = ms;
    return d;
}

static void arm_tick(struct loop *l, int64_t at)
{
    if (l->tick_at != 0 && l->tick_at <= at)
        return;
    int64_t now = loop_now(l), ms = at > now ? at - now : 0;
    struct timeval wait = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    l->tick_at = at;
    (void)event_add(&l->tick, &wait);
}

void timer_start(struct loop *l, struct timer *t, int64_t ms)
{
    struct duration *d = duration_of(l, ms);

    list_remove(&t->node);
    t->deadline = loop_now(l) + ms;
    list_append(&d->timers, &t->node);
    arm_tick(l, t->deadline);
}

void timer_stop(struct timer *t)
{
    if (t->node.next != NULL)
        list_remove(&t->node);
}

bool timer_runs(const struct timer *t)
{
    return t->node.next != NULL && !list_empty(&t->node);
}

/* A stopped timer does not disarm the tick. The tick then finds nothing to do and arms itself for
 * the next timer. If thousands of timers expire at once, other events get their turn in between. */
static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct loop *l = arg;
    int64_t next = 0;
    int left = AT_ONCE;

    (void)fd;
    (void)what;
    l->tick_at = 0;
    for (size_t i = 0; i < l->ndurations; i++) {
        struct list *timers = &l->durations[i]->timers, *first;
        while ((first = list_first(timers)) != NULL) {
            struct timer *t = list_entry(first, struct timer, node);
            if (t->deadline > loop_now(l) || left == 0) {
                if (next == 0 || t->deadline < next)
                    next = t->deadline;
                break;
            }
            list_remove(&t->node);
            left--;
            t->on_expiry(t->ctx);
        }
    }
    if (next != 0)
        arm_tick(l, next);
}

/* ---- tasks and graves ---- */

void task_init(struct task *t, void (*run)(void *ctx), void *ctx)
{
    list_init(&t->node);
    t->run = run;
    t->ctx = ctx;
}

void task_defer(struct loop *l, struct task *t)
{
    if (list_empty(&t->node))
        list_append(&l->tasks, &t->node);
}

void task_cancel(struct task *t)
{
    if (t->node.next != NULL)
        list_remove(&t->node);
}

bool task_is_due(const struct task *t)
{
    return !list_empty(&t->node);
}

/* A task that is deferred by another task runs in the next turn, so that each turn ends. */
static void run_tasks(struct loop *l)
{
    struct list due;
    struct list *first;

    list_init(&due);
    list_splice(&due, &l->tasks);
    while ((first = list_first(&due)) != NULL) {
        struct task *t = list_entry(first, struct task, node);
        list_remove(&t->node);
        t->run(t->ctx);
    }
}

void loop_bury(struct loop *l, void *object, void (*release)(void *object))
{
    if (l->ngraves == l->graves_cap) {
        l->graves_cap = l->graves_cap == 0 ? 64 : l->graves_cap * 2;
        l->graves = mem_grow(l->graves, l->graves_cap * sizeof(l->graves[0]));
    }
    l->graves[l->ngraves++] = (struct grave){object, release};
}

/* A release function may bury further objects. */
static void empty_graves(struct loop *l)
{
    for (size_t i = 0; i < l->ngraves; i++) {
        struct grave g = l->graves[i];
        g.release(g.object);
    }
    l->ngraves = 0;
}

/* ---- mail ---- */

void loop_post(struct loop *l, void (*run)(void *ctx), void *ctx)
{
    struct letter *letter = NEW(struct letter);
    uint64_t one = 1;

    letter->run = run;
    letter->ctx = ctx;
    (void)pthread_mutex_lock(&l->mail_lock);
    list_append(&l->mail, &letter->node);
    (void)pthread_mutex_unlock(&l->mail_lock);
    if (write(l->mail_fd, &one, sizeof(one)) < 0)
        assert(errno == EAGAIN); /* the counter is full, so the loop will wake anyway */
}

static void take_mail(struct loop *l, struct list *into)
{
    list_init(into);
    (void)pthread_mutex_lock(&l->mail_lock);
    list_splice(into, &l->mail);
    (void)pthread_mutex_unlock(&l->mail_lock);
}

static void on_mail(evutil_socket_t fd, short what, void *arg)
{
    struct loop *l = arg;
    struct list letters;
    uint64_t count;

    (void)what;
    if (read(fd, &count, sizeof(count)) < 0)
        return;
    take_mail(l, &letters);
    list_each (node, &letters) {
        struct letter *letter = list_entry(node, struct letter, node);
        letter->run(letter->ctx);
        free(letter);
    }
}

/* ---- the loop ---- */

static struct event_base *new_base(void)
{
    struct event_config *config = event_config_new();

    (void)event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    struct event_base *base = event_base_new_with_config(config);
    event_config_free(config);
    if (base != NULL)
        (void)event_base_priority_init(base, PRIORITIES);
    return base;
}

struct loop *loop_new(void)
{
    struct loop *l = NEW(struct loop);

    l->turns = 1;
    l->seen_at_once = FEWEST_SEEN;
    l->base = new_base();
    l->mail_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (l->base == NULL || l->mail_fd < 0)
        abort(); /* no descriptors at the start: nothing can be served */
    (void)pthread_mutex_init(&l->mail_lock, NULL);
    list_init(&l->mail);
    list_init(&l->tasks);
    (void)event_assign(&l->tick, l->base, -1, 0, on_tick, l);
    (void)event_assign(&l->mail_event, l->base, l->mail_fd, EV_READ | EV_PERSIST, on_mail, l);
    (void)event_add(&l->mail_event, NULL);
    l->room = mem_new(sizeof(*l->room));
    return l;
}

struct slab *loop_slab(struct loop *l, size_t size)
{
    size_t i = 0;

    while (i < SLABS && l->slabs[i] != NULL && slab_size(l->slabs[i]) != size)
        i++;
    assert(i < SLABS);
    if (l->slabs[i] == NULL)
        l->slabs[i] = slab_new(size);
    return l->slabs[i];
}

void loop_free(struct loop *l)
{
    struct list letters;

    empty_graves(l);
    (void)event_del(&l->tick);
    (void)event_del(&l->mail_event);
    (void)close(l->mail_fd);
    event_base_free(l->base);
    take_mail(l, &letters);
    list_each (node, &letters)
        free(list_entry(node, struct letter, node));
    (void)pthread_mutex_destroy(&l->mail_lock);
    for (size_t i = 0; i < l->ndurations; i++)
        free(l->durations[i]);
    free(l->durations);
    for (size_t i = 0; i < SLABS; i++)
        slab_free(l->slabs[i]);
    free(l->graves);
    free(l->room);
    free(l);
}

/* If as many streams were read as libevent takes at once, libevent has doubled that number. That
 * holds only if one look at the kernel brought them all: after events of the priority FIRST
 * libevent looks again. */
static void note_capacity(struct loop *l)
{
    if (!l->had_first && l->reads >= l->seen_at_once && l->seen_at_once < MOST_SEEN)
        l->seen_at_once *= 2;
}

void loop_turn(struct loop *l, bool wait)
{
    bool block = wait && list_empty(&l->tasks);

    l->turns++;
    l->now_is_fresh = false;
    note_capacity(l); /* for the turn before, which has ended only now */
    l->reads = 0;
    l->had_first = false;
    /* begins to count from 0 */
    (void)event_base_get_max_events(l->base, EVENT_BASE_COUNT_ACTIVE, 1);
    (void)event_base_loop(l->base, EVLOOP_ONCE | (block ? 0 : EVLOOP_NONBLOCK));
    run_tasks(l);
    empty_graves(l);
}

void loop_run(struct loop *l)
{
    while (!l->stopped)
        loop_turn(l, true);
}

void loop_stop(struct loop *l)
{
    l->stopped = true;
}

uint64_t loop_turns(const struct loop *l)
{
    return l->turns;
}

/* If libevent took as many events as it takes at once, more may be waiting. */
bool loop_saw_all(struct loop *l)
{
    return event_base_get_max_events(l->base, EVENT_BASE_COUNT_ACTIVE, 0) < (int)l->seen_at_once;
}

void loop_note_read(struct loop *l, bool first)
{
    l->reads++;
    l->had_first |= first;
}

bool loop_set_first(struct event *e, bool first)
{
    return event_priority_set(e, first ? FIRST : USUAL) == 0;
}

struct event_base *loop_base(struct loop *l)
{
    return l->base;
}

struct loop_room *loop_room(struct loop *l)
{
    return l->room;
}
