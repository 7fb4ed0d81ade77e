/*
 * Range requests (RFC 9110, 14) where contents are rewritten: the caller's content is not the
 * server's, so a part of the server's does not fit what the caller has or will get of it. A request
 * for which a server gave such a part is repeated for the whole, as if the server knew no ranges.
 *
 * That a range lies behind the content's end (416) is said of the server's content, too, and does
 * not tell which type that has.
 */
#include "core/exchange_parts.h"

/* RFC 9110, 14.2: with other methods a server ignores Range. What one that does not has done could
 * not be done again for the whole. */
uint64_t exchange_part_drops_request(struct exchange *x, const struct head *h)
{
    if (x->base.n == 0)
        return 0;
    if (x->method != METHOD_GET && x->method != METHOD_HEAD)
        return field_bit(FIELD_RANGE);
    x->asks_for_part = head_has(h, FIELD_RANGE);
    return 0;
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
                "%s answered %d, for a part of a content that is rewritten as a whole.",
                x->tenant->peer, h->status);
    exchange_fail(x, &why);
    return JUDGE_OVER;
}
