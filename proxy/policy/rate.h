/*
 * rate: may a request be sent now? The server may take at most N requests in
 * any second, or may have asked for no requests until later.
 *
 * There are N slots, and a request takes one. The slot may be taken again one
 * second after the latest moment at which the server can have counted the
 * request. The server counts it after it is sent and before its answer begins.
 * So the second begins with the answer. If no answer comes, the second begins
 * RATE_TRANSIT_US after sending, which covers a packet that is sent again once
 * (Linux does that after at least 200 ms). So the server counts two requests of
 * one slot more than a second apart, and never more than N requests in any
 * second. The price: only N / 1.25 to N requests a second are sent; the longer
 * the answers take, the fewer. After a pause, up to N requests go out at once.
 *
 * Pure: every function gets the time, in microseconds of one monotonic clock.
 */
#ifndef POLICY_RATE_H
#define POLICY_RATE_H

#include <stddef.h>
#include <stdint.h>

enum {
    RATE_WINDOW_US = 1001000, /* one second, and the drift between two clocks in it */
    RATE_TRANSIT_US = 250000,
};

#define RATE_NEVER INT64_MAX

struct rate {
    size_t limit; /* requests a second; 0: no limit */
    /* When each slot may be taken again; RATE_NEVER: its request was not sent yet. */
    int64_t *slots;
    /* At least `limit`. It is more if the limit was lowered, because taken slots stay. */
    size_t nslots;
    int64_t held; /* the server wants no requests before then */
};

enum { RATE_NO_SLOT = -1, RATE_UNCOUNTED = -2 };

/* Sets the limit, which may be changed again at any time. r is all zero at first. */
void rate_set(struct rate *r, size_t limit);
void rate_free(struct rate *r);

/* Takes a slot for a request. RATE_UNCOUNTED: there is no limit. RATE_NO_SLOT: it may not be sent
 * now. */
int rate_take(struct rate *r, int64_t now);

/* Call rate_note_sent() when the request is sent, rate_note_answer() when its answer begins (sent:
 * when it was sent), rate_give_back() if it is not sent. */
void rate_note_sent(struct rate *r, int slot, int64_t now);
void rate_note_answer(struct rate *r, int slot, int64_t sent, int64_t now);
void rate_give_back(struct rate *r, int slot);

/* The server wants no requests before `until`. Of several times the latest counts. */
void rate_hold(struct rate *r, int64_t until);

/* When to call rate_take() again after RATE_NO_SLOT. RATE_NEVER: after some request was sent or
 * given back. */
int64_t rate_next(const struct rate *r, int64_t now);

#endif
