/*
 * gate: where requests wait that may not be sent to a server yet, because
 * `rate` limits the requests a second, or because the server has asked for no
 * requests for a while (policy/rate.h says until when). Callers take turns
 * (policy/line.h).
 *
 * All workers share a gate. Its lock is taken only for requests that the gate
 * applies to. Waiting requests count in the process's queue. When an event lets
 * a request go on, the worker of that event calls the request by loop_post() to
 * the request's worker. When the passing of time lets it go on, a timer of a
 * worker does so (struct watch).
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

/* path: the gate's name in sentences and the status. limit: requests a second; 0: no limit. */
struct gate *gate_new(const char *path, size_t limit);
struct gate *gate_ref(struct gate *g);
void gate_unref(struct gate *g); /* NULL is allowed */

/* These may be called from any thread. */
void gate_set_limit(struct gate *g, size_t limit);
const char *gate_path(const struct gate *g);

/* The state of a gate, for the status. */
struct gate_view {
    size_t limit, waiting;
    /* For how much longer the server wants no requests; 0: it takes them. */
    int64_t held_us;
};
void gate_look(struct gate *g, struct gate_view *out);

/* Lets nothing through for `us` microseconds. Returns true if requests could go through until
 * now. */
bool gate_hold(struct gate *g, int64_t us);

/* Ends what gate_hold() has begun. */
void gate_release(struct gate *g);

/* One request on its way through a gate; a member of the request's owner. All zero: it is at no
 * gate. */
struct crossing {
    struct gate *gate; /* NULL: no gate applies to it */
    struct upstreams *all;
    struct ticket *ticket; /* NULL: the request does not wait */
    struct timer timer;
    int slot;
    bool open;       /* the request may be sent */
    bool was_held;   /* the server wanted no requests when it came */
    int64_t sent_us; /* when it was sent; 0: not yet */
    int64_t came_us;
    int64_t waited_us; /* how long it waited; set when the wait ends */
    void (*done)(void *ctx, const struct failure *why);
    void *ctx;
};

enum crossing_result { CROSSING_OPEN, CROSSING_WAITS, CROSSING_REFUSED };

/* Enters the gate g; takes ownership of one reference to it. c->done and c->ctx must be set.
 * CROSSING_OPEN: the request may be sent. CROSSING_WAITS: c->done is called once, later; why ==
 * NULL: the request may be sent now. CROSSING_REFUSED: *why has the reason. */
enum crossing_result crossing_begin(struct crossing *c, struct gate *g, struct upstreams *all,
                                    struct line_caller whose, struct failure *why) MUST_CHECK;

void crossing_note_sent(struct crossing *c);   /* call it when the request's first byte is sent */
void crossing_note_answer(struct crossing *c); /* call it when the answer's first byte has come */

/* The request is over, or will be sent again. c->done is not called any more. Idempotent. */
void crossing_end(struct crossing *c);

/* Frees the watches of a worker that ends. */
void gate_end_watches(struct upstreams *all);

#endif
