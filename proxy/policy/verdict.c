#include "policy/verdict.h"

enum verdict verdict_before(const struct verdict_view *v, bool presentable)
{
    if (!v->has_other)
        return VERDICT_PASS;
    if (!presentable)
        return VERDICT_SWITCH;
    return v->judges && v->suspected ? VERDICT_TRY : VERDICT_PASS;
}

/* When the tried one is refused, the one in use gets its chance with this request, too: so far it
 * was refused to another one only. */
enum verdict verdict_of_refusal(const struct verdict_view *v)
{
    if (!v->judges)
        return VERDICT_PASS;
    if (v->tries)
        return !v->changed && v->may_rewind ? VERDICT_RETURN : VERDICT_BOTH;
    if (v->changed)
        return VERDICT_PASS;
    if (v->superseded)
        return v->may_rewind ? VERDICT_RETURN : VERDICT_PASS;
    if (!v->has_other)
        return VERDICT_PASS;
    return v->may_rewind ? VERDICT_TRY : VERDICT_SUSPECT;
}

/* A server error may have any cause, so it brings no certificate into use; and only an answer that
 * the server gives to those whom it knows ends a suspicion. */
enum verdict verdict_of_answer(const struct verdict_view *v, int status)
{
    if (!v->judges)
        return VERDICT_PASS;
    if (v->tries)
        return status >= 500 ? VERDICT_UNDECIDED : VERDICT_SWITCH;
    return v->suspected && !v->superseded && status < 400 ? VERDICT_TRUST : VERDICT_PASS;
}

enum verdict verdict_of_doubt(const struct verdict_view *v)
{
    return v->judges && v->tries ? VERDICT_UNDECIDED : VERDICT_PASS;
}
