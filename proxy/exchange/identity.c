/* identity: chooses which of the tenant's two certificates serves an exchange, and judges the
 * certificates by its outcome (policy/verdict.h). See inner.h. */
#include "base/clock.h"
#include "base/log.h"
#include "exchange/hint.h"
#include "exchange/inner.h"
#include "exchange/sight.h"
#include "policy/validity.h"
#include "policy/verdict.h"
#include "sf/refusal.h"
#include "upstream/upstream.h"

/* The longest time that an error answer is held back to wait for more of its content. */
enum { LOOK_MS = 1000 };

static struct overlap *overlap_of(const struct exchange *x)
{
    return origin_overlap(x->origin);
}

static bool has_other(const struct exchange *x, int than)
{
    struct failure ignored;

    return tenant_has_identity(x->tenant, 1 - than) &&
           identity_is_presentable(x->tenant, 1 - than, &ignored);
}

static struct verdict_view view_of(const struct exchange *x)
{
    const struct overlap *o = overlap_of(x);

    return (struct verdict_view){.witness = x->witness,
                                 .superseded = x->identity != overlap_in_use(o),
                                 .suspected = overlap_is_suspected(o),
                                 .may_rewind = request_pump_may_rewind(&x->request)};
}

/* ---- what follows from a verdict ---- */

static void switch_to(const struct exchange *x, int to, const char *because)
{
    const struct tenant *t = x->tenant;

    if (!overlap_switch(overlap_of(x), to, clock_wall_us()))
        return;
    log_say(LOG_WARNING, "tenant %s: %s %s %s; %s %s serves from now on%s", t->name,
            identity_title(1 - to), credential_subject(t->identities[1 - to].credential), because,
            identity_title(to), credential_subject(t->identities[to].credential),
            to == IDENTITY_NEXT ? ", make it `certificate` when that is settled" : "");
}

static void suspect(const struct exchange *x)
{
    if (overlap_suspect(overlap_of(x)))
        log_say(LOG_WARNING, "tenant %s: %s refused the %s; the next request tries the %s",
                x->tenant->name, x->tenant->peer, identity_title(x->identity),
                identity_title(1 - x->identity));
}

/* True if this request is the one to try that identity. */
static bool take_try(struct exchange *x, int identity)
{
    if (!overlap_take_try(overlap_of(x), loop_now(x->all->loop)))
        return false;
    x->witness = witness_begins_try(x->witness);
    x->acquire.identity = identity;
    return true;
}

static struct decision connect_by(enum acquire_kind kind)
{
    return (struct decision){.step = STEP_CONNECT, .kind = kind};
}

/* ---- before ---- */

struct decision exchange_choose_identity(struct exchange *x)
{
    int in_use = overlap_in_use(overlap_of(x));
    struct failure why;
    bool presentable = identity_is_presentable(x->tenant, in_use, &why);

    if (tenant_has_identity(x->tenant, IDENTITY_NEXT)) {
        /* The server may have judged the caller's own Authorization instead of the certificate. */
        x->witness = x->forwards_authorization ? WITNESS_NONE : WITNESS_FIRST;
        struct verdict_view view = view_of(x);
        view.has_other = (!presentable || view.suspected) && has_other(x, in_use);
        switch (verdict_before(&view, presentable)) {
        case VERDICT_SWITCH:
            switch_to(x, 1 - in_use, "is not valid now");
            return connect_by(ACQUIRE_ANY);
        case VERDICT_TRY:
            if (take_try(x, 1 - in_use))
                return connect_by(ACQUIRE_UNDER);
            break;
        default:
            break;
        }
    }
    return presentable ? connect_by(ACQUIRE_ANY) : exchange_fails(x, &why);
}

/* ---- refused ---- */

static struct decision repeat(const struct exchange *x, enum acquire_kind kind)
{
    LOG_TRACE("exchange %s is to be repeated: %s refused the %s", x->id, x->tenant->peer,
              identity_title(x->identity));
    return (struct decision){
        .step = STEP_REPEAT, .kind = kind, .closing = "the server refused its certificate"};
}

struct decision exchange_judge_refusal(struct exchange *x)
{
    struct verdict_view view = view_of(x);

    view.has_other = x->witness != WITNESS_NONE && has_other(x, x->identity);
    x->witness = witness_refused(x->witness);
    switch (verdict_of_refusal(&view)) {
    case VERDICT_RETURN:
        return repeat(x, ACQUIRE_ANY);
    case VERDICT_TRY:
        return take_try(x, 1 - x->identity) ? repeat(x, ACQUIRE_UNDER) : DECIDE(STEP_NONE);
    case VERDICT_SUSPECT:
        suspect(x);
        return DECIDE(STEP_NONE);
    case VERDICT_BOTH:
        log_say(LOG_ERROR, "tenant %s: %s refuses certificate-next as well as certificate",
                x->tenant->name, x->tenant->peer);
        return DECIDE(STEP_NONE);
    default:
        return DECIDE(STEP_NONE);
    }
}

/* ---- answered ---- */

static void apply(struct exchange *x, enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_TRUST:
        overlap_trust(overlap_of(x));
        break;
    case VERDICT_SWITCH:
        x->witness = witness_ends_try(x->witness);
        switch_to(x, x->identity, "was refused");
        break;
    case VERDICT_UNDECIDED: /* it will be tried again later */
        x->witness = witness_ends_try(x->witness);
        (void)overlap_suspect(overlap_of(x));
        break;
    default:
        break;
    }
}

/* Writes the hint: the cause and what the process knows about it. */
static void explain(struct exchange *x, struct sight *s)
{
    struct hint_history h = {
        .tenant = x->tenant,
        .identity = x->identity,
        .forwards_authorization = x->forwards_authorization,
        .loaded = x->generation->config->begun_us,
        .switched = atomic_load_explicit(&overlap_of(x)->switched, memory_order_relaxed),
        .now = clock_wall_us()};

    struct cause_evidence e;

    upstream_collect(x->upstream, &e);
    s->cause = cause_sharpen(s->cause, &e);
    ledger_add_up(x->all->clients->shared->ledgers, x->tenant->name, &h.past);
    x->sentence.n = 0;
    hint_write_sentence(&x->sentence, s->cause, &s->found, &h);
    if (x->generation->config->hints)
        x->cause = s->cause;
}

/* True if more of the content is needed and there is still time for it. */
static bool has_to_wait(struct exchange *x, const struct sight *s)
{
    if (s->whole || x->looked_long || stream_has_ended(upstream_stream(x->upstream)))
        return false;
    if (!timer_runs(&x->look_timer))
        timer_start(x->all->loop, &x->look_timer, LOOK_MS);
    return true;
}

static struct decision refused_by_answer(struct exchange *x, struct sight *s)
{
    struct decision d = exchange_judge_refusal(x);
    struct failure why;

    if (d.step != STEP_NONE)
        return d;
    explain(x, s);
    failure_set(&why, FAIL_CERTIFICATE_REFUSED, "%s", x->sentence.p);
    cause_refine(&why, s->cause);
    exchange_note_failure(x, &why);
    return DECIDE(STEP_RELAY);
}

/* The content shows no refusal of the certificate. */
static struct decision not_refused(struct exchange *x, int status, struct sight *s)
{
    struct verdict_view view = view_of(x);
    bool told = !sf_refusal_status(status) ||
                (s->whole && s->readable && !s->mentions && x->method != METHOD_HEAD);

    apply(x, told ? verdict_of_answer(&view, status) : verdict_of_doubt(&view));
    if (s->cause != NULL)
        explain(x, s);
    return DECIDE(STEP_RELAY);
}

struct decision exchange_judge_answer(struct exchange *x, const struct head *h, struct slice rest)
{
    bool hints = x->generation->config->hints && cause_status(h->status);
    struct verdict_view view;
    struct sight s;

    x->cause = NULL;
    if (!hints && !sf_refusal_status(h->status)) {
        if (x->witness != WITNESS_NONE) {
            view = view_of(x);
            apply(x, verdict_of_answer(&view, h->status));
        }
        return DECIDE(STEP_RELAY);
    }
    sight_take(&s, h, x->method, &x->all->body_limits, rest,
               stream_has_ended_well(upstream_stream(x->upstream)));
    if (s.phrase == NULL && has_to_wait(x, &s))
        return DECIDE(STEP_WAIT);
    timer_stop(&x->look_timer);
    return s.phrase != NULL ? refused_by_answer(x, &s) : not_refused(x, h->status, &s);
}
