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

/* One request, and what is known at that moment. */
struct verdict_view {
    bool judges;     /* its outcome says something about the certificate */
    bool tries;      /* it tries the certificate that is not in use */
    bool changed;    /* it was sent again under another certificate before */
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
