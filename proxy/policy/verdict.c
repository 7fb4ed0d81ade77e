#include "policy/verdict.h"

enum witness witness_refused(enum witness w)
{
    return w == WITNESS_NONE ? WITNESS_NONE : WITNESS_LAST;
}

enum witness witness_begins_try(enum witness w)
{
    return w == WITNESS_LAST ? WITNESS_TRIES_AGAIN : WITNESS_TRIES;
}

enum witness witness_ends_try(enum witness w)
{
    switch (w) {
    case WITNESS_TRIES:
        return WITNESS_FIRST;
    case WITNESS_TRIES_AGAIN:
        return WITNESS_LAST;
    default:
        return w;
    }
}

enum verdict verdict_before(const struct verdict_view *v, bool presentable)
{
    if (!v->has_other)
        return VERDICT_NOTHING;
    if (!presentable)
        return VERDICT_SWITCH;
    return v->witness != WITNESS_NONE && v->suspected ? VERDICT_TRY : VERDICT_NOTHING;
}

/* If the tried certificate is refused too, the request is sent under the one in use, because that
 * one was refused to another request only. */
enum verdict verdict_of_refusal(const struct verdict_view *v)
{
    if (v->witness == WITNESS_NONE || v->witness == WITNESS_LAST)
        return VERDICT_NOTHING;
    if (v->witness == WITNESS_TRIES_AGAIN)
        return VERDICT_BOTH;
    if (v->witness == WITNESS_TRIES)
        return v->may_rewind ? VERDICT_RETURN : VERDICT_BOTH;
    if (v->superseded)
        return v->may_rewind ? VERDICT_RETURN : VERDICT_NOTHING;
    if (!v->has_other)
        return VERDICT_NOTHING;
    return v->may_rewind ? VERDICT_TRY : VERDICT_SUSPECT;
}

/* A 5xx may have any cause, so it brings no certificate into use. A suspicion ends only with an
 * answer below 400, which only a client that the server knows gets. */
enum verdict verdict_of_answer(const struct verdict_view *v, int status)
{
    if (v->witness == WITNESS_NONE)
        return VERDICT_NOTHING;
    if (witness_tries(v->witness))
        return status >= 500 ? VERDICT_UNDECIDED : VERDICT_SWITCH;
    return v->suspected && !v->superseded && status < 400 ? VERDICT_TRUST : VERDICT_NOTHING;
}

enum verdict verdict_of_doubt(const struct verdict_view *v)
{
    return witness_tries(v->witness) ? VERDICT_UNDECIDED : VERDICT_NOTHING;
}
