/*
 * sight: what the beginning of an error answer's content says, while the answer
 * is held back: does the server refuse the client certificate, and why did the
 * call fail? gzip and deflate are decoded for that.
 */
#ifndef EXCHANGE_SIGHT_H
#define EXCHANGE_SIGHT_H

#include "http/body.h"
#include "http/head.h"
#include "sf/cause.h"

struct sight {
    bool whole;                /* enough has come; waiting for more would not help */
    bool readable;             /* the content could be read */
    bool mentions;             /* words of a refusal are anywhere in it */
    const char *phrase;        /* the phrase that refuses the certificate; NULL: none */
    const struct cause *cause; /* NULL: the cause is not known */
    struct cause_found found;
};

/* Looks at the answer. rest: what came after its head so far. ended: no more will come. */
void sight_take(struct sight *s, const struct head *h, enum method method,
                const struct body_limits *limits, struct slice rest, bool ended);

#endif
