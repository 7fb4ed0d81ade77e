/*
 * sight: what the beginning of an error answer's content says, while it is held
 * back: is the client certificate refused, and why did the call fail? gzip and
 * deflate are undone for that.
 */
#ifndef EXCHANGE_SIGHT_H
#define EXCHANGE_SIGHT_H

#include "http/body.h"
#include "http/head.h"
#include "sf/cause.h"

struct sight {
    bool whole;                /* no more has to come to be looked at */
    bool readable;             /* the content could be read */
    bool mentions;             /* words of a refusal are in it, at whatever place */
    const char *phrase;        /* by which it refuses the certificate; NULL: it does not */
    const struct cause *cause; /* NULL: none is known */
    struct cause_found found;
};

/* rest: what came after the head so far. ended: no more will come. */
void sight_take(struct sight *s, const struct head *h, enum method method,
                const struct body_limits *limits, struct slice rest, bool ended);

#endif
