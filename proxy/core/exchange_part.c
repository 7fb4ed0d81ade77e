/*
 * Range requests (RFC 9110, 14) where contents are rewritten: the caller's content is not the
 * server's, so a part of the server's does not fit what the caller has or will get of it. A request
 * for which a server gave such a part is repeated for the whole, as if the server knew no ranges.
 *
 * That a range lies behind the content's end (416) is said of the server's content, too, and does
 * not tell which type that has.
 */
#include "core/exchange_parts.h"

/* Other methods have no ranges (RFC 9110, 14.2), and what cannot be repeated must not get a part.
 */
static bool may_have_parts(const struct exchange *x)
{
    return (x->method == METHOD_GET || x->method == METHOD_HEAD) && x->may_repeat &&
           x->request.complete;
}

uint64_t exchange_part_drops_request(struct exchange *x, const struct head *h)
{
    if (x->base.n == 0)
        return 0;
    x->asks_for_part = head_has(h, FIELD_RANGE) && may_have_parts(x);
    return x->asks_for_part ? 0 : field_bit(FIELD_RANGE);
}

static bool is_of_another_content(const struct exchange *x, const struct head *h)
{
    return x->base.n > 0 && (links_are_parted(h) || (h->status == 416 && x->asks_for_part));
}

enum judgement exchange_judge_part(struct exchange *x, const struct head *h)
{
    struct failure why;

    if (!is_of_another_content(x, h))
        return JUDGE_PASS;
    if (x->asks_for_part) {
        x->asks_for_part = false;
        edit_drop_fields(&x->head, field_bit(FIELD_RANGE));
        if (exchange_repeat(x, ACQUIRE_ANY))
            return JUDGE_OVER;
    }
    failure_set(&why, FAIL_ANSWER_MALFORMED,
                "%s answered with a part (206) of what it was asked for as a whole.",
                x->tenant->peer);
    exchange_fail(x, &why);
    return JUDGE_OVER;
}
