/* identity: which of the tenant's two certificates serves an exchange, and what its outcome says
 * about them (policy/verdict.h). See inner.h. */
#include "base/log.h"
#include "exchange/inner.h"
#include "http/coding.h"
#include "policy/validity.h"
#include "policy/verdict.h"
#include "sf/refusal.h"
#include "upstream/upstream.h"

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

    return (struct verdict_view){.judges = x->judges,
                                 .tries = x->tries_identity,
                                 .changed = x->changed_identity,
                                 .superseded = x->identity != overlap_in_use(o),
                                 .suspected = overlap_is_suspected(o),
                                 .may_rewind = request_pump_may_rewind(&x->request)};
}

/* ---- what follows from a verdict ---- */

static void switch_to(const struct exchange *x, int to, const char *because)
{
    const struct tenant *t = x->tenant;

    if (!overlap_switch(overlap_of(x), to))
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
    x->tries_identity = true;
    x->acquire.identity = identity;
    return true;
}

static struct decision under(enum step step, enum acquire_kind kind)
{
    return (struct decision){.step = step, .kind = kind};
}

/* ---- before ---- */

struct decision exchange_choose_identity(struct exchange *x)
{
    int in_use = overlap_in_use(overlap_of(x));
    struct failure why;
    bool presentable = identity_is_presentable(x->tenant, in_use, &why);

    if (tenant_has_identity(x->tenant, IDENTITY_NEXT)) {
        /* A caller's own Authorization could be what the server likes or dislikes. */
        x->judges = !x->forwards_authorization;
        struct verdict_view view = view_of(x);
        view.has_other = (!presentable || view.suspected) && has_other(x, in_use);
        switch (verdict_before(&view, presentable)) {
        case VERDICT_SWITCH:
            switch_to(x, 1 - in_use, "is not valid now");
            return under(STEP_CONNECT, ACQUIRE_ANY);
        case VERDICT_TRY:
            if (take_try(x, 1 - in_use))
                return under(STEP_CONNECT, ACQUIRE_UNDER);
            break;
        default:
            break;
        }
    }
    return presentable ? under(STEP_CONNECT, ACQUIRE_ANY) : exchange_fails(x, &why);
}

/* ---- refused ---- */

static struct decision repeat(const struct exchange *x, enum acquire_kind kind)
{
    LOG_TRACE("exchange %s is to be repeated: %s refused the %s", x->id, x->tenant->peer,
              identity_title(x->identity));
    return under(STEP_REPEAT, kind);
}

struct decision exchange_judge_refusal(struct exchange *x)
{
    struct verdict_view view = view_of(x);

    view.has_other = x->judges && has_other(x, x->identity);
    enum verdict verdict = verdict_of_refusal(&view);
    if (x->judges && (!view.tries || verdict == VERDICT_RETURN))
        x->changed_identity = true;
    x->tries_identity = false;
    switch (verdict) {
    case VERDICT_RETURN:
        return repeat(x, ACQUIRE_ANY);
    case VERDICT_TRY:
        return take_try(x, 1 - x->identity) ? repeat(x, ACQUIRE_UNDER) : DECIDE(STEP_WAIT);
    case VERDICT_SUSPECT:
        suspect(x);
        return DECIDE(STEP_WAIT);
    case VERDICT_BOTH:
        log_say(LOG_ERROR, "tenant %s: %s refuses certificate-next as well as certificate",
                x->tenant->name, x->tenant->peer);
        return DECIDE(STEP_WAIT);
    default:
        return DECIDE(STEP_WAIT);
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
        x->tries_identity = false;
        switch_to(x, x->identity, "was refused");
        break;
    case VERDICT_UNDECIDED: /* some time later it is tried again */
        x->tries_identity = false;
        (void)overlap_suspect(overlap_of(x));
        break;
    default:
        break;
    }
}

/* What the content says. */
enum sight { SIGHT_REFUSAL, SIGHT_OTHER, SIGHT_NONE /* it cannot be read, or may be either */ };

/* The beginning of a coded content; false if it is damaged. */
static bool undo(enum coding coding, struct slice coded, char *room, size_t size,
                 struct slice *content)
{
    struct decoder *d = decoder_new(coding);
    enum decoded result;
    size_t n;

    *content = (struct slice){room, 0};
    do {
        result = decoder_run(d, &coded, room + content->n, size - content->n, &n);
        content->n += n;
    } while (result == DECODED_FULL && content->n < size);
    decoder_free(d);
    return result != DECODED_BAD;
}

/* One that is named twice, or not at all, is not known. */
static struct slice media_type_of(const struct head *h)
{
    return head_count(h, FIELD_CONTENT_TYPE) == 1 ? head_value(h, FIELD_CONTENT_TYPE) : SLICE("");
}

static enum sight look(const struct head *h, struct slice content, const char **phrase)
{
    char room[SF_REFUSAL_LOOK];
    enum coding coding = coding_of(h);

    if (coding == CODING_OTHER)
        return SIGHT_NONE;
    if (coding != CODING_IDENTITY && !undo(coding, content, room, sizeof(room), &content))
        return SIGHT_NONE;
    *phrase = sf_refusal_find(h->status, media_type_of(h), content);
    if (*phrase != NULL)
        return SIGHT_REFUSAL;
    return sf_refusal_is_mentioned(content) ? SIGHT_NONE : SIGHT_OTHER;
}

static struct decision refused_by_answer(struct exchange *x, int status, const char *phrase)
{
    struct decision d = exchange_judge_refusal(x);
    struct failure why;

    if (d.step != STEP_WAIT)
        return d;
    failure_set(&why, FAIL_CERTIFICATE_REFUSED,
                "%s refused the client certificate: it answered %d, %s.", x->tenant->peer, status,
                phrase);
    exchange_note_failure(x, &why);
    return DECIDE(STEP_PASS);
}

struct decision exchange_judge_answer(struct exchange *x, const struct head *h, struct slice rest)
{
    const struct stream *s = upstream_stream(x->upstream);
    struct verdict_view view;
    struct buf content = {0};
    const char *phrase = NULL;

    if (!sf_refusal_status(h->status)) {
        if (x->judges) {
            view = view_of(x);
            apply(x, verdict_of_answer(&view, h->status));
        }
        return DECIDE(STEP_PASS);
    }
    enum framing framing = framing_of_response(h, x->method);
    bool whole = body_peek(framing, h->content_length, &x->all->body_limits, rest, SF_REFUSAL_LOOK,
                           &content) ||
                 (framing == FRAMING_CLOSE && stream_has_ended_well(s));
    enum sight sight = look(h, buf_slice(&content), &phrase);
    buf_free(&content);
    if (sight == SIGHT_REFUSAL)
        return refused_by_answer(x, h->status, phrase);
    if (!whole && !stream_has_ended(s))
        return DECIDE(STEP_WAIT);
    view = view_of(x);
    bool other = whole && sight == SIGHT_OTHER && x->method != METHOD_HEAD;
    apply(x, other ? verdict_of_answer(&view, h->status) : verdict_of_doubt(&view));
    return DECIDE(STEP_PASS);
}
