/*
 * request_pump: one request on its way to the server: the edited head, then
 * the body in its outgoing framing.
 *
 * It keeps what may have to be sent once more, and collects bodies whose length
 * is known at their end only: a body that is rewritten has another length than
 * its caller said, and some servers want a length (411). What all requests
 * collect together is limited for the process; a body that comes beyond that
 * limit goes out in chunks, with what was collected as the first.
 *
 * Pure but for that quota. It knows neither streams nor the exchange.
 */
#ifndef EXCHANGE_REQUEST_PUMP_H
#define EXCHANGE_REQUEST_PUMP_H

#include "base/quota.h"
#include "exchange/links.h"
#include "http/edit.h"

enum {
    REQUEST_HELD_MAX = 64 * 1024,     /* of a body that was sent, to send it again */
    REQUEST_COLLECT_MAX = 256 * 1024, /* of a body that is sent only when it is whole */
};

struct request_pump {
    struct buf head; /* as the server gets it; its memory is the owner's */
    struct body body;
    bool head_sent;
    bool may_repeat; /* RFC 9110, 9.2.2: idempotent, and nothing says otherwise */
    bool expects;    /* the caller waits for 100 (Continue) before it sends the body */
    bool collects;   /* nothing is sent before the body is whole */
    bool holding;    /* all that was sent of the body is in held */
    struct buf held; /* of the body, as it goes out: what was sent, or was collected */
    struct edit_trailer_rules trailers;
    struct link_filter *links; /* NULL: the body is not changed */
    struct quota *quota;
    size_t collected; /* bytes that the quota counts */
};

/* Takes the body's framing and the rules of repetition from the head. quota: of what is collected,
 * in bytes; outlives the pump. */
void request_pump_start(struct request_pump *p, const struct head *h,
                        const struct body_limits *limits, struct quota *quota);

/* The body will be changed by that filter, which the pump then owns. Returns how the head has to
 * speak of it. */
enum edit_body request_pump_filter(struct request_pump *p, const struct head *h,
                                   struct link_filter *links);

/* That of a head, before there is a pump. */
enum edit_body request_pump_rewritten(const struct head *h);

/* Which trailers go on. headers outlive the pump. After request_pump_filter(). */
void request_pump_trailers(struct request_pump *p, const struct head *h,
                           const struct edit_header *headers, size_t nheaders);

enum collected {
    COLLECT_MORE,  /* the input is used up */
    COLLECT_ASK,   /* it is, and the caller waits for 100 (Continue): RFC 9110, 10.1.1 */
    COLLECT_READY, /* the head is finished, the request can be sent */
    COLLECT_BAD,
};

/* Takes what there is of a body that is collected; moves *in over what was used. */
enum collected request_pump_collect(struct request_pump *p, struct slice *in);

/* Gathers the next pieces, at first the head; moves *in over what was used. The pieces are valid
 * until the next call, and as long as the input is. BODY_FULL: send them, then call again or stop
 * the pump. */
enum body_result request_pump_next(struct request_pump *p, struct slice *in, struct gather *g);

/* After BODY_FULL, if no more can be sent for now: gives back to *in what was read but has not
 * become output. */
void request_pump_stop(struct request_pump *p, struct slice *in);

/* Can everything that was sent be sent again, and may it? Then it starts again with the head. */
bool request_pump_may_rewind(const struct request_pump *p);
void request_pump_rewind(struct request_pump *p);

/* The caller has sent all of it. */
static inline bool request_pump_is_read(const struct request_pump *p)
{
    return p->body.complete;
}

/* The caller sends the body only once the server has said 100 (Continue). */
static inline bool request_pump_waits_for_100(const struct request_pump *p)
{
    return p->expects && p->body.bytes == 0;
}

void request_pump_end(struct request_pump *p); /* what was collected is not needed any more */
void request_pump_free(struct request_pump *p);

#endif
