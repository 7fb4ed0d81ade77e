/* Which of the tenant's two certificates serves an exchange, and what its end says about them. */
#include "base/log.h"
#include "core/exchange_parts.h"
#include "core/validity.h"
#include "http/coding.h"
#include "sf/refusal.h"

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

static void tell_switch(const struct exchange *x, int to, const char *because)
{
    const struct tenant *t = x->tenant;

    log_say(LOG_WARNING, "tenant %s: %s %s %s; %s %s serves from now on%s", t->name,
            identity_title(1 - to), credential_subject(t->identities[1 - to].credential), because,
            identity_title(to), credential_subject(t->identities[to].credential),
            to == IDENTITY_NEXT ? ", make it `certificate` when that is settled" : "");
}

/* ---- before ---- */

/* True if this request is the one to try the other certificate. */
static bool takes_the_try(struct exchange *x, int in_use)
{
    struct overlap *o = overlap_of(x);

    return x->judges && overlap_is_suspected(o) && has_other(x, in_use) &&
           overlap_may_try(o, loop_now(x->worker->loop));
}

bool exchange_choose_identity(struct exchange *x, enum acquire_kind *kind, struct failure *why)
{
    int in_use = overlap_in_use(overlap_of(x));
    bool presentable = identity_is_presentable(x->tenant, in_use, why);

    if (!tenant_has_identity(x->tenant, IDENTITY_NEXT))
        return presentable;
    /* A caller's own Authorization could be what the server likes or dislikes. */
    x->judges = !x->forwards_authorization;
    if (!presentable && has_other(x, in_use)) {
        if (overlap_switch(overlap_of(x), 1 - in_use))
            tell_switch(x, 1 - in_use, "is not valid now");
        return true;
    }
    if (presentable && takes_the_try(x, in_use)) {
        x->tries_identity = true;
        x->acquire.identity = 1 - in_use;
        *kind = ACQUIRE_UNDER;
    }
    return presentable;
}

/* ---- refused ---- */

static void tell_both_refused(const struct exchange *x)
{
    log_say(LOG_ERROR, "tenant %s: %s refuses certificate-next as well as certificate",
            x->tenant->name, x->tenant->peer);
}

/* The next request will be the try, since this one cannot be sent twice. */
static void leave_the_try(const struct exchange *x)
{
    if (overlap_suspect(overlap_of(x)))
        log_say(LOG_WARNING, "tenant %s: %s refused the %s; the next request tries the %s",
                x->tenant->name, x->tenant->peer, identity_title(x->identity),
                identity_title(1 - x->identity));
}

/* The certificate in use was refused. */
static bool try_other(struct exchange *x)
{
    if (!has_other(x, x->identity))
        return false;
    if (!exchange_request_may_rewind(x)) {
        leave_the_try(x);
        return false;
    }
    if (!overlap_may_try(overlap_of(x), loop_now(x->worker->loop)))
        return false;
    x->tries_identity = true;
    x->acquire.identity = 1 - x->identity;
    return exchange_repeat(x, ACQUIRE_UNDER);
}

bool exchange_refused(struct exchange *x)
{
    if (!x->judges)
        return false;
    if (x->tries_identity) {
        x->tries_identity = false;
        if (!x->changed_identity && exchange_request_may_rewind(x)) {
            x->changed_identity = true;
            return exchange_repeat(x, ACQUIRE_ANY); /* only another request was refused so far */
        }
        tell_both_refused(x);
        return false;
    }
    if (x->changed_identity)
        return false;
    x->changed_identity = true;
    if (x->identity != overlap_in_use(overlap_of(x)))
        return exchange_repeat(x, ACQUIRE_ANY); /* another request has found out meanwhile */
    return try_other(x);
}

/* ---- accepted ---- */

/* The answer says nothing about the certificate; some time later it is tried again. */
static void undecided(struct exchange *x)
{
    if (x->tries_identity)
        (void)overlap_suspect(overlap_of(x));
    x->tries_identity = false;
}

static void accepted(struct exchange *x, int status)
{
    struct overlap *o = overlap_of(x);

    if (!x->judges)
        return;
    if (!x->tries_identity) {
        if (overlap_is_suspected(o) && x->identity == overlap_in_use(o) && status < 400)
            overlap_trust(o);
        return;
    }
    if (status >= 500) {
        undecided(x);
        return;
    }
    x->tries_identity = false;
    if (overlap_switch(o, x->identity))
        tell_switch(x, x->identity, "was refused");
}

/* ---- answers ---- */

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

static enum judgement refused_by_answer(struct exchange *x, int status, const char *phrase)
{
    struct failure why;

    if (exchange_refused(x))
        return JUDGE_OVER;
    failure_set(&why, FAIL_CERTIFICATE_REFUSED,
                "%s refused the client certificate: it answered %d, %s.", x->tenant->peer, status,
                phrase);
    exchange_note_failure(x, &why);
    return JUDGE_PASS;
}

enum judgement exchange_judge_answer(struct exchange *x, const struct head *h, struct slice rest)
{
    const struct stream *s = upstream_stream(x->upstream);
    enum framing framing = framing_of_response(h, x->method);
    struct buf content = {0};
    const char *phrase = NULL;

    if (!sf_refusal_status(h->status)) {
        accepted(x, h->status);
        return JUDGE_PASS;
    }
    bool whole = body_peek(framing, h->content_length, &x->worker->body_limits, rest,
                           SF_REFUSAL_LOOK, &content) ||
                 (framing == FRAMING_CLOSE && stream_has_ended_well(s));
    enum sight sight = look(h, buf_slice(&content), &phrase);
    buf_free(&content);
    if (sight == SIGHT_REFUSAL)
        return refused_by_answer(x, h->status, phrase);
    if (!whole && !stream_has_ended(s))
        return JUDGE_WAITS;
    if (whole && sight == SIGHT_OTHER && x->method != METHOD_HEAD)
        accepted(x, h->status);
    else
        undecided(x);
    return JUDGE_PASS;
}
