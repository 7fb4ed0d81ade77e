/*
 * request_pump: one request on its way to the server: the edited head, then the
 * body in its outgoing framing.
 *
 * The pump keeps what may have to be sent once more. It also collects bodies
 * that are rewritten: the length of such a body is known only at its end, and
 * some servers require a length (411). A quota of the process limits what all
 * requests collect together. A body that exceeds the quota goes out in chunks;
 * what was collected is the first chunk.
 *
 * Pure, except for that quota. The pump knows neither streams nor the exchange.
 */
#ifndef EXCHANGE_REQUEST_PUMP_H
#define EXCHANGE_REQUEST_PUMP_H

#include "base/quota.h"
#include "exchange/links.h"
#include "http/edit.h"

enum {
    REQUEST_HELD_MAX = 64 * 1024,     /* bytes of a sent body that are kept, to send them again */
    REQUEST_COLLECT_MAX = 256 * 1024, /* bytes of a body that is collected before it is sent */
};

struct request_pump {
    struct buf head; /* as the server gets it; the pump's user owns the memory */
    struct body body;
    bool head_sent;
    bool may_repeat; /* the method is idempotent (RFC 9110, 9.2.2) */
    bool expects;    /* the caller waits for 100 (Continue) before it sends the body */
    bool collects;   /* nothing is sent before the body is complete */
    bool holding;    /* held has all of the body that was sent */
    /* What was sent or collected of the body, in its outgoing framing. */
    struct buf held;
    struct edit_trailer_rules trailers;
    struct link_filter *links; /* NULL: the body is not changed */
    struct quota *quota;
    size_t collected; /* bytes taken from the quota */
};

/* Takes the body's framing from the head, and whether the request may be repeated. quota: bytes
 * that all requests may collect; must outlive the pump. */
void request_pump_start(struct request_pump *p, const struct head *h,
                        const struct body_limits *limits, struct quota *quota);

/* Sets the filter that changes the body; the pump takes ownership of links. Returns how the head
 * has to describe the body. */
enum edit_body request_pump_filter(struct request_pump *p, const struct head *h,
                                   struct link_filter *links);

/* What request_pump_filter() returns for the head h. */
enum edit_body request_pump_rewritten(const struct head *h);

/* Decides which trailers are passed on. Call it after request_pump_filter(). headers must outlive
 * the pump. */
void request_pump_trailers(struct request_pump *p, const struct head *h,
                           const struct edit_header *headers, size_t nheaders);

enum collected {
    COLLECT_MORE, /* the input is used up; more is needed */
    /* The same, and the caller waits for 100 (Continue): RFC 9110, 10.1.1. */
    COLLECT_ASK,
    COLLECT_READY, /* the head is complete; the request can be sent */
    COLLECT_BAD,
};

/* Collects the bytes of the body that are at hand and moves *in past the bytes used. */
enum collected request_pump_collect(struct request_pump *p, struct slice *in);

/* Gathers the next pieces, the head first, and moves *in past the bytes used. The pieces are valid
 * until the next call, and only as long as the input is. BODY_FULL: send the pieces, then call
 * again or stop the pump. */
enum body_result request_pump_next(struct request_pump *p, struct slice *in, struct gather *g);

/* Call it after BODY_FULL if no more can be sent for now: gives back to *in the bytes that were
 * read but have not become output. */
void request_pump_stop(struct request_pump *p, struct slice *in);

/* Can everything that was sent be sent again, and may it be? If so, request_pump_rewind() starts
 * again with the head. */
bool request_pump_may_rewind(const struct request_pump *p);
void request_pump_rewind(struct request_pump *p);

/* The whole request of the caller has been read. */
static inline bool request_pump_is_read(const struct request_pump *p)
{
    return p->body.complete;
}

/* The caller sends the body only after it has got 100 (Continue) from the server. */
static inline bool request_pump_waits_for_100(const struct request_pump *p)
{
    return p->expects && p->body.bytes == 0;
}

void request_pump_end(struct request_pump *p); /* returns the bytes of the quota */
void request_pump_free(struct request_pump *p);

#endif
