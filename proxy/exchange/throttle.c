/* throttle: applies to one exchange how often its server wants to be called (upstream/manners.h).
 * See inner.h. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "exchange/inner.h"
#include "http/date.h"

/* The part of the request's edited head that follows the method. */
static struct slice target_and_rest(const struct exchange *x)
{
    struct slice rest = buf_slice(&x->request.head);

    (void)slice_split(&rest, ' ');
    return rest;
}

struct slice exchange_path(const struct exchange *x)
{
    struct slice rest = target_and_rest(x);
    struct slice target = slice_split(&rest, ' ');
    return slice_split(&target, '?');
}

/* FNV-1a. Two names with the same hash would only share their turns. */
static uint64_t hash_of(const char *name)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);

    for (; *name != '\0'; name++)
        h = (h ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    return h;
}

static struct line_caller caller_of(const struct exchange *x)
{
    const struct caller_id *c = client_caller(x->client);

    if (x->admitted && x->user != NULL)
        return (struct line_caller){LINE_USER, hash_of(x->user)};
    if (c->kind == CALLER_UID)
        return (struct line_caller){LINE_UID, c->uid};
    return (struct line_caller){LINE_CONNECTION, (uintptr_t)x->client};
}

struct decision exchange_enter_gate(struct exchange *x,
                                    void (*resumed)(void *ctx, const struct failure *why))
{
    struct failure why;

    x->acquire.waited_us = 0;
    if (!manners_may_concern(x->manners, x->tenant, target_and_rest(x)))
        return DECIDE(STEP_CONNECT);
    struct gate *g = manners_find(x->manners, x->tenant, exchange_path(x));
    if (g == NULL)
        return DECIDE(STEP_CONNECT);
    x->crossing.done = resumed;
    x->crossing.ctx = x;
    switch (crossing_begin(&x->crossing, g, x->all->upstreams, caller_of(x), &why)) {
    case CROSSING_OPEN:
        return DECIDE(STEP_CONNECT);
    case CROSSING_REFUSED:
        return exchange_fails(x, &why);
    default:
        LOG_TRACE("exchange %s waits for its turn at %s", x->id, gate_path(g));
        manners_note_wait(x->manners, x->crossing.was_held);
        return DECIDE(STEP_WAIT);
    }
}

/* The time by the server's clock (Date), or by our own; in seconds since 1970. */
static int64_t now_at(const struct head *h)
{
    int64_t seconds;

    if (date_read(head_value(h, FIELD_DATE), &seconds))
        return seconds;
    return clock_wall_s();
}

void exchange_heed(struct exchange *x, const struct head *h)
{
    const struct field *after = head_next_named(h, SLICE("Retry-After"), &(size_t){0});
    int64_t seconds = 0;

    if (x->heeded)
        return;
    x->heeded = true;
    if (after != NULL && !date_read_retry_after(after->value, now_at(h), &seconds))
        LOG_TRACE("exchange %s: Retry-After cannot be read", x->id);
    manners_note_refusal(x->manners, x->tenant, exchange_path(x), h->status, seconds);
}
