/* judge: is the request refused, which tenant is it for, and what does the server get of it? See
 * inner.h. */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "caller/checker.h"
#include "exchange/cookies.h"
#include "exchange/inner.h"
#include "exchange/judgement.h"
#include "http/cors.h"
#include "http/reply.h"

/* ---- pages of other origins (allow-origin) ---- */

const char *exchange_page_fields(const struct exchange *x)
{
    if (x->page != NULL)
        return x->page->fields;
    /* Caches have to know that answers depend on Origin, also if the first request had none. */
    return x->generation->config->norigins > 0 ? CORS_VARY : NULL;
}

/* ---- answers of the proxy itself ---- */

/* Sends the answer, and frees its bytes. */
static struct decision answer_itself(struct exchange *x, struct buf *answer)
{
    x->status = 204;
    x->first_us = clock_monotonic_us();
    (void)stream_write_bytes(client_stream(x->client), answer->p, answer->n);
    buf_free(answer);
    return DECIDE(STEP_FINISH);
}

static enum persistence persistence_of(const struct exchange *x)
{
    return client_decide(x->client, request_pump_is_read(&x->request));
}

static struct decision answer_preflight(struct exchange *x, const struct head *h)
{
    struct buf answer = {0};

    cors_write_preflight(&answer, h, x->page->fields, persistence_of(x), clock_wall_us());
    return answer_itself(x, &answer);
}

static struct decision answer_options(struct exchange *x)
{
    struct buf answer = {0};

    reply_options(&answer, exchange_page_fields(x), persistence_of(x), clock_wall_us());
    return answer_itself(x, &answer);
}

/* ---- which tenant? ---- */

static struct guard_view view_of(const struct exchange *x)
{
    const struct client_door *door = client_door(x->client);
    const struct inside *in = client_inside(x->client);

    return (struct guard_view){.config = x->generation->config,
                               .unix_listener = door->is_unix,
                               .port = door->port,
                               .remote_listener = door->is_remote,
                               .own = client_own_address(x->client),
                               .inside = in == NULL ? NULL : &in->is};
}

/* ---- what the server gets ---- */

static void write_cookie(const void *ctx, struct slice value, struct buf *out)
{
    const struct exchange *x = ctx;

    if (cookies_write(x->all->shared->cookies, x->tenant, value, out))
        log_say(LOG_NOTICE,
                "tenant %s: a cookie was taken out of a request, because the server has not set it "
                "since sfmtls started; with several tenants only those that it has set are sent. "
                "This is logged once",
                x->tenant->name);
}

static bool is_tls(const struct client *c)
{
    const struct inside *in = client_inside(c);

    return client_door(c)->tls != NULL || (in != NULL && in->is.secure);
}

/* Most heads fit in it, so the buffer grows once. In bytes. */
enum { HEAD_USUAL = 1024 };

static void edit(struct exchange *x, const struct head *h, const struct judgement *j)
{
    const struct tenant *tenant = x->tenant;
    struct edit_rules rules;

    judgement_write_base(j, h, is_tls(x->client), &x->base);
    judgement_set_rules(j, h, buf_slice(&x->base), &rules);
    rules.ctx = x;
    if (x->generation->config->ntenants > 1)
        rules.write_cookie = write_cookie;
    x->forwards_authorization = rules.keep_authorization && head_has(h, FIELD_AUTHORIZATION);
    x->asks_for_part = judgement_asks_for_part(h, buf_slice(&x->base));
    if (judgement_rewrites_body(h, buf_slice(&x->base)))
        rules.body = request_pump_filter(&x->request, h,
                                         link_filter_for_request(tenant, buf_slice(&x->base), h));
    if (tenant->session_reuse)
        exchange_want_session(x, h);
    buf_reserve(&x->request.head, HEAD_USUAL);
    edit_request(&x->request.head, h, &j->target, &rules);
    request_pump_trailers(&x->request, h, tenant->headers, tenant->nheaders);
}

/* Keeps method and path of a request that is not sent: the record reads them from the head. */
static void keep_start_line(struct exchange *x, const struct head *h)
{
    buf_addf(&x->request.head, "%.*s %.*s ", (int)h->method_name.n, h->method_name.p,
             (int)h->target.n, h->target.p);
}

/* ---- the caller's password (callers-file) ---- */

/* Rules are applied to known callers only, so that strangers cannot find out the rules. */
static struct decision set_out(struct exchange *x)
{
    if (x->barred != NULL)
        return exchange_fails(x, x->barred);
    if (x->is_answered_here)
        return answer_options(x);
    return x->request.collects ? DECIDE(STEP_COLLECT) : exchange_choose_identity(x);
}

struct decision exchange_judge_caller(struct exchange *x, bool known)
{
    struct failure why;

    x->admitted = known;
    if (known)
        return set_out(x);
    judgement_refuse_caller(&why);
    return exchange_fails(x, &why);
}

static struct decision ask(struct exchange *x, const struct basic *b, check_done *checked)
{
    const struct tenant *t = x->tenant;
    struct credentials what = {.tenant = t->name,
                               .hash = callers_hash(t->callers, b->user),
                               .user = b->user,
                               .password = b->password};

    x->user = mem_copy_bytes(b->user.p, b->user.n);
    switch (
        checker_ask(x->all->clients->shared->checker, x->all->loop, &what, checked, x, &x->check)) {
    case CHECKER_FITS:
        return exchange_judge_caller(x, true);
    case CHECKER_FULL:
        return exchange_fails_plain(x, FAIL_CHECKS_FULL);
    default:
        return DECIDE(STEP_WAIT);
    }
}

static struct decision admit(struct exchange *x, const struct head *h, check_done *checked)
{
    struct failure why;
    struct basic b;

    if (!judgement_read_credentials(h, &b, &why))
        return exchange_fails(x, &why);
    struct decision d = ask(x, &b, checked);
    basic_wipe(&b);
    return d;
}

/* ---- all of it ---- */

struct decision exchange_judge(struct exchange *x, const struct client_request *r,
                               check_done *checked)
{
    const struct guard_view view = view_of(x);
    struct judgement j;
    struct failure why;

    bool accepted = judgement_make(&j, &view, client_door(x->client)->tenant, r->head, &why);
    x->page = j.page;
    if (!accepted || j.own_answer != OWN_ANSWER_NONE) {
        keep_start_line(x, r->head);
        if (!accepted)
            return exchange_fails(x, &why);
        if (j.own_answer == OWN_ANSWER_PREFLIGHT)
            return answer_preflight(x, r->head);
        x->is_answered_here = true;
    }
    x->origin = origin_ref(x->all->upstreams->origins[j.index]);
    x->tenant = j.tenant;
    x->cell = x->all->cells[j.index];
    x->manners = x->generation->manners[j.index];
    if (!x->is_answered_here)
        edit(x, r->head, &j);
    if (x->tenant->rules != NULL && !rules_cover(x->tenant->rules, r->head, &j.target, &why)) {
        x->barred = NEW(struct failure);
        *x->barred = why;
    }
    return x->tenant->callers != NULL ? admit(x, r->head, checked) : set_out(x);
}
