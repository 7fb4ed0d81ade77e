/*
 * rate: may a request be sent now, where a server takes at most N in any second, or has asked to
 * be left alone until later?
 *
 * There are N slots. A request takes one, and the slot may be taken again a second after the server
 * can have counted the request. The server counts it between the moment when it is sent and the
 * moment when its answer begins. So the second begins with the answer, and without one at the
 * latest RATE_TRANSIT_US after sending: that covers a packet that is sent again once (Linux does so
 * after 200 ms at the earliest). Two requests in one slot are therefore counted more than a second
 * apart, whatever time each of them was on its way, and the server never counts more than N in any
 * second. The price: between N and N / 1.25 requests a second are sent, the fewer the longer
 * answers take. Requests that come after a pause go out at once, up to N of them.
 *
 * Pure: every function gets the time, in microseconds of one clock.
 */
#ifndef POLICY_RATE_H
#define POLICY_RATE_H

#include <stddef.h>
#include <stdint.h>

enum {
    RATE_WINDOW_US = 1001000, /* a second, and what two clocks may differ in it */
    RATE_TRANSIT_US = 250000,
};

#define RATE_NEVER INT64_MAX

struct rate {
    size_t limit;   /* a second; 0: none */
    int64_t *slots; /* when each may be taken again; RATE_NEVER: its request was not sent yet */
    size_t nslots;  /* at least limit: a limit that was lowered leaves those that are taken */
    int64_t held;   /* until then the server is to be left alone */
};

enum { RATE_NO_SLOT = -1, RATE_UNCOUNTED = -2 };

/* r is all zero at first. May be called again, with another limit. */
void rate_set(struct rate *r, size_t limit);
void rate_free(struct rate *r);

/* The slot of a request, or RATE_UNCOUNTED where there is no limit; RATE_NO_SLOT: not now. */
int rate_take(struct rate *r, int64_t now);

/* The request is sent now; its answer begins (sent: when it was sent); it is not sent at all. */
void rate_note_sent(struct rate *r, int slot, int64_t now);
void rate_note_answer(struct rate *r, int slot, int64_t sent, int64_t now);
void rate_give_back(struct rate *r, int slot);

/* The server wants no request before then. Several: the latest holds. */
void rate_hold(struct rate *r, int64_t until);

/* When to call rate_take() again, after it took none; RATE_NEVER: once something was sent or given
 * back. */
int64_t rate_next(const struct rate *r, int64_t now);

#endif
