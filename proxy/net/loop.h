/*
 * loop: one thread's event loop, with what hangs on its turns.
 *
 * A turn waits for events, runs their callbacks, then the deferred tasks, then
 * frees what was buried. So an object may be closed anywhere, even in its own
 * callback: its memory goes when the turn ends.
 *
 * Everything here belongs to the loop's thread, but for loop_post().
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

struct event;
struct event_base;
struct loop;

struct loop *loop_new(void);
void loop_free(struct loop *l); /* what was buried or posted is freed or dropped */

/* Runs turns until loop_stop(). */
void loop_run(struct loop *l);
void loop_stop(struct loop *l);

/* One turn; for tests. wait: block until there is an event. */
void loop_turn(struct loop *l, bool wait);

/* Monotonic milliseconds, read once a turn. */
int64_t loop_now(struct loop *l);

/* How many turns have begun. */
uint64_t loop_turns(const struct loop *l);

/* Did this turn bring all events that waited when it began? If there are many, some come only with
 * the next turns. */
bool loop_saw_all(struct loop *l);

/* A stream is read, for an event of this turn; first: by loop_set_first(). From that the loop knows
 * how many events it takes at once. */
void loop_note_read(struct loop *l, bool first);

struct event_base *loop_base(struct loop *l);

/* Is the event to come before those that are not first, if both wait when a turn begins? False: it
 * waits already, and its place stays. For events that come seldom: until none is left, the others
 * wait. */
bool loop_set_first(struct event *e, bool first);

/* ---- timers: many objects, few distinct durations ---- */

/* A member of the object it times; all zero is a timer that does not run. */
struct timer {
    struct list node;
    int64_t deadline;
    void (*on_expiry)(void *ctx);
    void *ctx;
};

void timer_init(struct timer *t, void (*on_expiry)(void *ctx), void *ctx);

/* (Re)starts it: on_expiry is called once, ms from now, never from inside this call. O(number of
 * distinct durations), which is small: they come from the configuration. */
void timer_start(struct loop *l, struct timer *t, int64_t ms);
void timer_stop(struct timer *t);
bool timer_runs(const struct timer *t);

/* ---- work for the end of the turn ---- */

/* A member of the object it works for; all zero is a task that is not due. */
struct task {
    struct list node;
    void (*run)(void *ctx);
    void *ctx;
};

void task_init(struct task *t, void (*run)(void *ctx), void *ctx);
void task_defer(struct loop *l, struct task *t); /* no effect if it is due already */
void task_cancel(struct task *t);
bool task_is_due(const struct task *t);

/* Calls release(object) when the turn has ended. */
void loop_bury(struct loop *l, void *object, void (*release)(void *object));

/* ---- memory of what comes and goes by the thousand ---- */

struct slab;

/* For objects of that size, in bytes, that live in this loop's thread. Owned by the loop, which
 * outlives them. O(number of distinct sizes): ask once where it matters. */
struct slab *loop_slab(struct loop *l, size_t size);

/* ---- from other threads ---- */

/* Calls run(ctx) in the loop's thread. Any thread; the order of one thread's posts is kept. */
void loop_post(struct loop *l, void (*run)(void *ctx), void *ctx);

/* ---- room for bytes in flight ---- */

/* Shared by all streams of the loop; holds nothing between two callbacks. */
enum {
    LOOP_WIRE_SIZE = 256 * 1024,
    LOOP_PLAIN_SIZE = LOOP_WIRE_SIZE + 32 * 1024, /* more than one read can decrypt to */
};
struct loop_room {
    char wire_in[LOOP_WIRE_SIZE];
    char plain_in[LOOP_PLAIN_SIZE];
    char wire_out[LOOP_WIRE_SIZE];
    size_t wire_out_used;
    uint64_t errors_checked; /* the turn in which OpenSSL's errors were looked for last */
    char plain_out[16 * 1024];
};
struct loop_room *loop_room(struct loop *l);

#endif
