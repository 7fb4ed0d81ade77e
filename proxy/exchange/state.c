/* state: the states of an exchange and its failures. See inner.h. */
#include <assert.h>

#include "base/log.h"
#include "base/mem.h"
#include "exchange/inner.h"
#include "policy/repetition.h"

/* ---- states ---- */

/* Legal moves, one row per state. Anything else is a bug in this program. */
static const unsigned allowed[] = {
    [EXCHANGE_JUDGE] =
        BIT(EXCHANGE_ADMIT) | BIT(EXCHANGE_COLLECT) | BIT(EXCHANGE_ACQUIRE) | BIT(EXCHANGE_OVER),
    [EXCHANGE_ADMIT] = BIT(EXCHANGE_COLLECT) | BIT(EXCHANGE_ACQUIRE) | BIT(EXCHANGE_OVER),
    [EXCHANGE_COLLECT] = BIT(EXCHANGE_ACQUIRE) | BIT(EXCHANGE_OVER),
    [EXCHANGE_ACQUIRE] = BIT(EXCHANGE_ACQUIRE) | BIT(EXCHANGE_SEND) | BIT(EXCHANGE_OVER),
    [EXCHANGE_SEND] = BIT(EXCHANGE_ACQUIRE) | BIT(EXCHANGE_STREAM) | BIT(EXCHANGE_OVER),
    [EXCHANGE_STREAM] = BIT(EXCHANGE_OVER),
    [EXCHANGE_OVER] = 0,
};

bool exchange_may_move(enum exchange_state from, enum exchange_state to)
{
    return (allowed[from] & BIT(to)) != 0;
}

static const char *state_name(enum exchange_state state)
{
    static const char *const names[] = {
        [EXCHANGE_JUDGE] = "judge",     [EXCHANGE_ADMIT] = "admit", [EXCHANGE_COLLECT] = "collect",
        [EXCHANGE_ACQUIRE] = "acquire", [EXCHANGE_SEND] = "send",   [EXCHANGE_STREAM] = "stream",
        [EXCHANGE_OVER] = "over",
    };

    return names[state];
}

void exchange_set_state(struct exchange *x, enum exchange_state to)
{
    assert(exchange_may_move(x->state, to));
    LOG_TRACE("exchange %s: %s -> %s", x->id, state_name(x->state), state_name(to));
    x->state = to;
}

/* ---- failures ---- */

void exchange_note_failure(struct exchange *x, const struct failure *why)
{
    if (x->failure == NULL)
        x->failure = NEW(struct failure);
    *x->failure = *why;
}

struct decision exchange_fails(struct exchange *x, const struct failure *why)
{
    LOG_TRACE("exchange %s fails: %s", x->id, why->detail.text);
    exchange_note_failure(x, why);
    return DECIDE(STEP_FAIL);
}

struct decision exchange_fails_plain(struct exchange *x, enum fail id)
{
    struct failure why;

    failure_plain(&why, id);
    return exchange_fails(x, &why);
}

struct decision exchange_loses_upstream(struct exchange *x, const struct failure *why)
{
    const struct repetition r = {.reused = x->reused,
                                 .sent = x->request.head_sent,
                                 .answered = x->download != DOWNLOAD_NONE,
                                 .lost_before = x->lost_before,
                                 .may_rewind = request_pump_may_rewind(&x->request)};

    if (!repetition_is_allowed(&r))
        return exchange_fails(x, why);
    LOG_TRACE("exchange %s is to be repeated: %s", x->id, why->detail.text);
    x->lost_before = true;
    return (struct decision){
        .step = STEP_REPEAT, .kind = ACQUIRE_FRESH, .closing = fail_info(why->id)->detail};
}

/* ---- time ---- */

/* Is the server expected to act next? Otherwise it is the caller. */
static bool is_servers_turn(const struct exchange *x)
{
    if (x->download == DOWNLOAD_BLOCKED)
        return false;
    return x->upload == UPLOAD_DONE || x->upload == UPLOAD_BLOCKED || x->upload == UPLOAD_DEAD ||
           request_pump_waits_for_100(&x->request);
}

void exchange_await(struct exchange *x)
{
    const struct config *c = x->all->clients->config;
    bool server = is_servers_turn(x);

    timer_stop(server ? &x->caller_timer : &x->answer_timer);
    timer_start(x->all->loop, server ? &x->answer_timer : &x->caller_timer,
                server ? c->answer_timeout : c->body_timeout);
}
