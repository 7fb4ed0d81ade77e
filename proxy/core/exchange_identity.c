/* Which of the tenant's two certificates serves an exchange, and what its end says about them. */
#include "base/clock.h"
#include "base/log.h"
#include "core/exchange_parts.h"
#include "http/coding.h"
#include "sf/refusal.h"

static struct overlap *overlap_of(const struct exchange *x)
{
    return origin_overlap(x->origin);
}

/* An expired certificate is not presented; the clock may have jumped since the last request. */
static bool is_presentable(const struct tenant *t, int i, struct failure *why)
{
    const struct credential *c = t->identities[i].credential;
    int64_t now = clock_wall_us() / 1000000;

    if (now > credential_not_after(c)) {
        failure_set(why, FAIL_CERTIFICATE_EXPIRED,
                    "The client certificate of tenant %s (%s) has expired and is not presented.",
                    t->name, credential_subject(c));
        return false;
    }
    if (now < credential_not_before(c)) {
        failure_set(why, FAIL_CERTIFICATE_NOT_YET_VALID,
                    "The client certificate of tenant %s (%s) is not valid yet.", t->name,
                    credential_subject(c));
        return false;
    }
    return true;
}

static bool has_other(const struct exchange *x, int than)
{
    struct failure ignored;

    return tenant_has_identity(x->tenant, 1 - than) &&
           is_presentable(x->tenant, 1 - than, &ignored);
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

bool exchange_choose_identity(struct exchange *x, const struct head *h, enum acquire_kind *kind,
                              struct failure *why)
{
    int in_use = overlap_in_use(overlap_of(x));
    bool presentable = is_presentable(x->tenant, in_use, why);

    if (!tenant_has_identity(x->tenant, IDENTITY_NEXT))
        return presentable;
    /* A caller's own Authorization could be what the server likes or dislikes. */
    x->judges = !(x->tenant->keep_authorization && head_has(h, FIELD_AUTHORIZATION));
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
    log_say(LOG_ERROR, "tenant %s: %s refuses both, certificate and certificate-next",
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
    x->tries_identity = false;
    if (status >= 500)
        (void)overlap_suspect(o); /* that says nothing; some time later it is tried again */
    else if (overlap_switch(o, x->identity))
        tell_switch(x, x->identity, "was refused");
}

/* ---- answers ---- */

static struct slice decoded(enum coding coding, struct slice coded, char *room, size_t size)
{
    struct decoder *d = decoder_new(coding);
    size_t n, total = 0;
    enum decoded result;

    do {
        result = decoder_run(d, &coded, room + total, size - total, &n);
        total += n;
    } while (result == DECODED_FULL && total < size);
    decoder_free(d);
    return (struct slice){room, total};
}

static const char *find_refusal(const struct head *h, struct slice content)
{
    char room[SF_REFUSAL_LOOK];
    enum coding coding = coding_of(h);

    if (coding == CODING_GZIP || coding == CODING_DEFLATE)
        content = decoded(coding, content, room, sizeof(room));
    return sf_refusal_find(h->status, content);
}

enum judgement exchange_judge_answer(struct exchange *x, const struct head *h, struct slice rest)
{
    struct buf content = {0};
    struct failure why;

    if (!sf_refusal_status(h->status)) {
        accepted(x, h->status);
        return JUDGE_PASS;
    }
    bool whole = body_peek(framing_of_response(h, x->method), h->content_length,
                           &x->worker->body_limits, rest, SF_REFUSAL_LOOK, &content);
    const char *phrase = find_refusal(h, buf_slice(&content));
    buf_free(&content);
    if (phrase == NULL) {
        if (!whole && !stream_has_ended(upstream_stream(x->upstream)))
            return JUDGE_WAITS;
        accepted(x, h->status);
        return JUDGE_PASS;
    }
    if (exchange_refused(x))
        return JUDGE_OVER;
    failure_set(&why, FAIL_CERTIFICATE_REFUSED,
                "%s refused the client certificate: it answered %d, %s.", x->tenant->peer,
                h->status, phrase);
    exchange_note_failure(x, &why);
    return JUDGE_PASS;
}
