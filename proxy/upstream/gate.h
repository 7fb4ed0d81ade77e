/*
 * gate: where requests wait that may not be sent to a server yet: because `rate` says how many it
 * takes a second, or because it has asked to be left alone for a while (policy/rate.h says until
 * when). Callers take turns (policy/line.h).
 *
 * A gate is shared by all workers, under a lock that only requests take to which it applies. Those
 * that wait count in the process's queue. Whoever makes it possible that one goes on calls it, by
 * loop_post() to its worker; where time makes it possible, a timer of a worker does (struct watch).
 */
#ifndef UPSTREAM_GATE_H
#define UPSTREAM_GATE_H

#include "base/fail.h"
#include "base/slice.h"
#include "net/loop.h"
#include "policy/line.h"

struct gate;
struct ticket;
struct upstreams;

/* path: how sentences call it. limit: requests a second; 0: as many as come. */
struct gate *gate_new(const char *path, size_t limit);
struct gate *gate_ref(struct gate *g);
void gate_unref(struct gate *g); /* NULL is allowed */

/* Any thread. */
void gate_set_limit(struct gate *g, size_t limit);
const char *gate_path(const struct gate *g);

/* What can be seen of it. */
struct gate_view {
    size_t limit, waiting;
    int64_t held_us; /* for so long the server is to be left alone; 0: it is not */
};
void gate_look(struct gate *g, struct gate_view *out);

/* Nothing goes through for so long. True if that is news: something went through before. */
bool gate_hold(struct gate *g, int64_t us);

/* What was held is not any more. */
void gate_release(struct gate *g);

/* One request on its way through a gate; a member of whoever sends it. All zero: it is at none. */
struct pass {
    struct gate *gate; /* NULL: no gate applies to it */
    struct upstreams *all;
    struct ticket *ticket; /* NULL: it does not wait */
    struct timer timer;
    int slot;
    bool open;       /* it may be sent */
    bool was_held;   /* it came while the server had asked to wait */
    int64_t sent_us; /* 0: it was not sent yet */
    int64_t came_us;
    int64_t waited_us; /* in the end */
    void (*done)(void *ctx, const struct failure *why);
    void *ctx;
};

enum pass_result { PASS_OPEN, PASS_WAITS, PASS_REFUSED };

/* p has done and ctx set; takes the reference to g. PASS_OPEN: it may be sent. PASS_WAITS: done is
 * called later, once; *why NULL: it may be sent now. PASS_REFUSED: *why. peer: how sentences call
 * the server. */
enum pass_result pass_enter(struct pass *p, struct gate *g, struct upstreams *all,
                            struct line_caller whose, struct failure *why) MUST_CHECK;

void pass_note_sent(struct pass *p);   /* its first byte goes out now */
void pass_note_answer(struct pass *p); /* the first byte of its answer has come */

/* It is over, or will be sent anew. done is not called any more; idempotent. */
void pass_end(struct pass *p);

/* The worker is taken down. */
void gate_end_watches(struct upstreams *all);

#endif
