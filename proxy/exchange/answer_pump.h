/*
 * answer_pump: one answer of the server on its way to the caller: it reads
 * the heads, then moves the body into its outgoing framing. Pure; it knows
 * neither streams nor the exchange.
 */
#ifndef EXCHANGE_ANSWER_PUMP_H
#define EXCHANGE_ANSWER_PUMP_H

#include "exchange/links.h"
#include "http/edit.h"
#include "http/h1_reader.h"

struct answer_pump {
    struct h1_reader reader;
    struct body body;
    struct edit_trailer_rules trailers;
    struct link_filter *links; /* NULL: the body is not changed */
};

/* Reads the next head. H1_DONE: it is in *h, *rest is what came after it, and the next call expects
 * another head. H1_REFUSED: *why. */
enum h1_result answer_pump_head(struct answer_pump *p, const struct h1_limits *limits,
                                struct slice in, struct head *h, struct slice *rest,
                                struct failure *why);

/* The head was the final one: its body comes in one framing and goes out in another. links: the
 * filter that changes it, which the pump then owns; NULL: none. */
void answer_pump_start(struct answer_pump *p, const struct head *h, enum framing in,
                       enum framing out, struct link_filter *links,
                       const struct body_limits *limits);

/* Gathers the next pieces of the body; moves *in over what was used. The pieces are valid until the
 * next call, and as long as the input is. */
enum body_result answer_pump_next(struct answer_pump *p, struct slice *in, struct gather *g);

/* After BODY_FULL, if no more can be sent for now: gives back to *in what was read but has not
 * become output. */
void answer_pump_stop(struct answer_pump *p, struct slice *in);

/* The request is repeated: another answer comes. Before answer_pump_start(). */
void answer_pump_rewind(struct answer_pump *p);
void answer_pump_free(struct answer_pump *p);

#endif
