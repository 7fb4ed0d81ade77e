/*
 * verdict: what the outcome of a request says about the client certificate
 * under which it was sent, and what follows from it.
 *
 * A tenant may have two certificates: one is in use, the other waits until the
 * server knows it (see upstream/overlap.h). When the one in use is refused, one
 * request tries the other; only an answer that is not a refusal brings it into
 * use. Pure.
 */
#ifndef POLICY_VERDICT_H
#define POLICY_VERDICT_H

#include <stdbool.h>

/* One request, and what is known at that moment. */
struct verdict_view {
    bool judges;     /* its outcome can say something about the certificate */
    bool tries;      /* it is the one that tries the certificate which is not in use */
    bool changed;    /* it was sent again under another certificate already */
    bool superseded; /* the certificate that it used is not the one in use any more */
    bool suspected;  /* the one in use was refused to a request that could not be repeated */
    bool has_other;  /* the tenant has another than the one that it used, valid now */
    bool may_rewind; /* it can be sent again */
};

enum verdict {
    VERDICT_PASS,      /* nothing follows */
    VERDICT_TRUST,     /* the certificate in use was accepted: it is not suspected any more */
    VERDICT_SWITCH,    /* the other one was accepted: it is in use from now on */
    VERDICT_UNDECIDED, /* the try has shown nothing: another request is to try */
    VERDICT_RETURN,    /* send the request again, under the certificate in use */
    VERDICT_TRY,       /* send it under the other one, unless another request tries that now */
    VERDICT_SUSPECT,   /* this request cannot be repeated: the next one is to try */
    VERDICT_BOTH,      /* both certificates are refused */
};

/* Before a request is sent. presentable: the certificate in use is valid now. PASS: it goes out
 * under that one, or fails; SWITCH, TRY. */
enum verdict verdict_before(const struct verdict_view *v, bool presentable);

/* The server has refused the certificate. PASS: the refusal is the answer. */
enum verdict verdict_of_refusal(const struct verdict_view *v);

/* The server has answered, and that was no refusal. */
enum verdict verdict_of_answer(const struct verdict_view *v, int status);

/* Whether the answer is a refusal cannot be told. */
enum verdict verdict_of_doubt(const struct verdict_view *v);

#endif
