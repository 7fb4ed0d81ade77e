#include "policy/repetition.h"

bool repetition_is_allowed(const struct repetition *r)
{
    return (r->reused || !r->sent) && !r->answered && !r->lost_before && r->may_rewind;
}
