#include "http/max_forwards.h"

bool max_forwards_read(const struct head *request, uint64_t *left, struct failure *why)
{
    struct slice value = head_value(request, FIELD_MAX_FORWARDS);

    *left = UINT64_MAX;
    if (request->method != METHOD_OPTIONS || !head_has(request, FIELD_MAX_FORWARDS))
        return true;
    if (head_count(request, FIELD_MAX_FORWARDS) == 1 &&
        (slice_to_u64(value, UINT64_MAX, left) || slice_is_number(value)))
        return true;
    failure_set(why, FAIL_REQUEST_MALFORMED,
                "Max-Forwards has to be one number, how many more times the request may be "
                "forwarded.");
    return false;
}
