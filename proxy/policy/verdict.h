/*
 * verdict: what the outcome of a request says about its client certificate, and
 * what to do next.
 *
 * A tenant may have two certificates: one is in use, the other waits until the
 * server knows it (see upstream/overlap.h). If the one in use is refused, one
 * request tries the other. Only an answer that is no refusal brings that one
 * into use. Pure.
 */
#ifndef POLICY_VERDICT_H
#define POLICY_VERDICT_H

#include <stdbool.h>

/* What a request's outcome can say about the tenant's certificates. */
enum witness {
    WITNESS_NONE,  /* nothing */
    WITNESS_FIRST, /* it is sent under the certificate in use, which was not refused to it */
    WITNESS_TRIES, /* it tries the other one, because that in use was refused to another request */
    WITNESS_TRIES_AGAIN, /* it tries the other one, because that in use was refused to itself */
    /* A certificate was refused to it, and it tries no other one any more. */
    WITNESS_LAST,
};

static inline bool witness_tries(enum witness w)
{
    return w == WITNESS_TRIES || w == WITNESS_TRIES_AGAIN;
}

/* The states that follow when the request gets a refusal, is allowed to try the other certificate,
 * or gets an answer that ends its try. */
enum witness witness_refused(enum witness w);
enum witness witness_begins_try(enum witness w);
enum witness witness_ends_try(enum witness w);

/* One request, and what is known at that moment. */
struct verdict_view {
    enum witness witness;
    bool superseded; /* its certificate is not the one in use any more */
    /* The certificate in use was refused to a request that could not be repeated. */
    bool suspected;
    bool has_other;  /* the tenant's other certificate is valid now */
    bool may_rewind; /* it can be sent again */
};

enum verdict {
    VERDICT_NOTHING,   /* do nothing */
    VERDICT_TRUST,     /* the certificate in use was accepted: end the suspicion */
    VERDICT_SWITCH,    /* the other one was accepted: bring it into use */
    VERDICT_UNDECIDED, /* the try has shown nothing: another request has to try */
    VERDICT_RETURN,    /* send the request again under the certificate in use */
    /* Send it again under the other one, unless another request is trying that. */
    VERDICT_TRY,
    VERDICT_SUSPECT, /* this request cannot be repeated: let the next one try */
    VERDICT_BOTH,    /* both certificates are refused */
};

/* Call it before a request is sent. presentable: the certificate in use is valid now. NOTHING:
 * send the request under that one, or fail if it is not valid. SWITCH or TRY: use the other one. */
enum verdict verdict_before(const struct verdict_view *v, bool presentable);

/* The server has refused the certificate. NOTHING: the caller gets the refusal. */
enum verdict verdict_of_refusal(const struct verdict_view *v);

/* The server has given an answer that is no refusal. */
enum verdict verdict_of_answer(const struct verdict_view *v, int status);

/* The answer does not show whether it is a refusal. */
enum verdict verdict_of_doubt(const struct verdict_view *v);

#endif
