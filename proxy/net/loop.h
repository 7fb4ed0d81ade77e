/*
 * loop: one thread's event loop.
 *
 * A turn waits for events, runs their callbacks, then the deferred tasks, then
 * frees what was buried. So an object may be closed anywhere, even in its own
 * callback: its memory is freed at the end of the turn.
 *
 * Everything here belongs to the loop's thread, except loop_post().
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
void loop_free(struct loop *l); /* frees what was buried, drops what was posted */

/* Runs turns until loop_stop(). */
void loop_run(struct loop *l);
void loop_stop(struct loop *l);

/* Runs one turn; for tests. wait: block until there is an event. */
void loop_turn(struct loop *l, bool wait);

/* Monotonic time in milliseconds, read once in a turn. */
int64_t loop_now(struct loop *l);

/* The number of turns that have begun. */
uint64_t loop_turns(const struct loop *l);

/* Did this turn bring all events that were waiting when it began? If there are many, some come only
 * in later turns. */
bool loop_saw_all(struct loop *l);

/* Call it when a stream is read because of an event. first: the event has the priority of
 * loop_set_first(). The loop learns from these calls how many events libevent takes at once. */
void loop_note_read(struct loop *l, bool first);

struct event_base *loop_base(struct loop *l);

/* first: events of e come before all others that wait when a turn begins; while such events come,
 * the others wait, so use it for rare events. Returns false if e is already waiting to be handled;
 * its priority stays then. */
bool loop_set_first(struct event *e, bool first);

/* ---- timers: many objects, few distinct durations ---- */

/* A member of the object that it is for. If it is all zero, the timer does not run. */
struct timer {
    struct list node;
    int64_t deadline;
    void (*on_expiry)(void *ctx);
    void *ctx;
};

void timer_init(struct timer *t, void (*on_expiry)(void *ctx), void *ctx);

/* Starts the timer, or starts it again: on_expiry is called once, ms milliseconds from now, not
 * inside this call. O(number of distinct durations); there are few, because they come from the
 * configuration. */
void timer_start(struct loop *l, struct timer *t, int64_t ms);
void timer_stop(struct timer *t);
bool timer_runs(const struct timer *t);

/* ---- work for the end of the turn ---- */

/* A member of the object that it is for. If it is all zero, the task is not due. */
struct task {
    struct list node;
    void (*run)(void *ctx);
    void *ctx;
};

void task_init(struct task *t, void (*run)(void *ctx), void *ctx);
void task_defer(struct loop *l, struct task *t); /* no effect if the task is due already */
void task_cancel(struct task *t);
bool task_is_due(const struct task *t);

/* Calls release(object) at the end of the turn. */
void loop_bury(struct loop *l, void *object, void (*release)(void *object));

/* ---- memory of objects that come and go by the thousand ---- */

struct slab;

/* The slab for objects of that size in bytes. Use it in this loop's thread only. The loop owns it,
 * and must outlive the objects. O(number of distinct sizes): where speed matters, ask once. */
struct slab *loop_slab(struct loop *l, size_t size);

/* ---- from other threads ---- */

/* Calls run(ctx) in the loop's thread. Any thread may call it. The calls of one thread keep their
 * order. */
void loop_post(struct loop *l, void (*run)(void *ctx), void *ctx);

/* ---- memory for bytes in flight ---- */

/* All streams of the loop share it. It holds nothing between two callbacks. */
enum {
    LOOP_WIRE_SIZE = 256 * 1024,
    LOOP_PLAIN_SIZE = LOOP_WIRE_SIZE + 32 * 1024, /* more than one read can decrypt to */
};
struct loop_room {
    char wire_in[LOOP_WIRE_SIZE];
    char plain_in[LOOP_PLAIN_SIZE];
    char wire_out[LOOP_WIRE_SIZE];
    size_t wire_out_used;
    uint64_t errors_checked; /* the turn of the last check of OpenSSL's error queue */
    char plain_out[16 * 1024];
};
struct loop_room *loop_room(struct loop *l);

#endif
