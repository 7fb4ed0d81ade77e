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

/* Reads the next head. H1_DONE: the head is in *h, *rest is what came after it, and the next call
 * expects another head. H1_REFUSED: *why has the reason. */
enum h1_result answer_pump_head(struct answer_pump *p, const struct h1_limits *limits,
                                struct slice in, struct head *h, struct slice *rest,
                                struct failure *why);

/* Call it after the final head. The body comes in the framing `in` and goes out in the framing
 * `out`. links: the filter that changes the body; the pump takes ownership. NULL: no filter. */
void answer_pump_start(struct answer_pump *p, const struct head *h, enum framing in,
                       enum framing out, struct link_filter *links,
                       const struct body_limits *limits);

/* Gathers the next pieces of the body and moves *in past the bytes used. The pieces are valid until
 * the next call, and only as long as the input is. */
enum body_result answer_pump_next(struct answer_pump *p, struct slice *in, struct gather *g);

/* Call it after BODY_FULL if no more can be sent for now: gives back to *in the bytes that were
 * read but have not become output. */
void answer_pump_stop(struct answer_pump *p, struct slice *in);

/* The request is repeated, so the heads of another answer come. Only before answer_pump_start(). */
void answer_pump_rewind(struct answer_pump *p);
void answer_pump_free(struct answer_pump *p);

#endif
