/* judge: whose request is it, may it pass, what does the server get of it? See inner.h. */
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "caller/checker.h"
#include "exchange/cookies.h"
#include "exchange/inner.h"
#include "http/basic.h"
#include "http/cors.h"
#include "policy/guard.h"
#include "policy/route.h"

/* ---- pages of other origins (allow-origin) ---- */

const char *exchange_page_fields(const struct exchange *x)
{
    if (x->page != NULL)
        return x->page->fields;
    /* Caches have to know that answers differ, whoever asked first. */
    return x->generation->config->norigins > 0 ? CORS_VARY : NULL;
}

/* A browser asks whether a page may send a request: the proxy answers that itself. */
static struct decision answer_preflight(struct exchange *x, const struct head *h)
{
    struct buf answer = {0};
    enum persistence p = client_decide(x->client, request_pump_is_read(&x->request));

    x->status = 204;
    x->first_us = clock_monotonic_us();
    cors_write_preflight(&answer, h, x->page->fields, p, clock_wall_us());
    (void)stream_write_bytes(client_stream(x->client), answer.p, answer.n);
    buf_free(&answer);
    return DECIDE(STEP_FINISH);
}

/* ---- whose is it? ---- */

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

static bool find_tenant(struct exchange *x, const struct client_request *r,
                        const struct guard_view *v, struct target *target, struct failure *why)
{
    const struct config *config = v->config;

    if (v->inside != NULL) { /* all that the target's host could say was said by the CONNECT */
        target->form = TARGET_AUTHORITY;
        target->authority = v->inside->target;
    }
    int tenant = route_find(config, client_door(x->client)->tenant, r->head, target, why);
    if (tenant < 0 || !guard_knows_caller(v, config->tenants[tenant], why) ||
        !guard_reads_credentials(v, config->tenants[tenant], r->head, why))
        return false;
    x->origin = origin_ref(x->all->upstreams->origins[tenant]);
    x->tenant = config->tenants[tenant];
    x->cell = x->all->cells[tenant];
    return true;
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

/* The server would judge the page by rules of its own, which were made for other hosts. */
static uint64_t page_drops(const struct exchange *x)
{
    return x->page == NULL
               ? 0
               : field_bit(FIELD_ORIGIN) | field_bit(FIELD_SEC_FETCH_SITE) | field_bit(FIELD_CORS);
}

/* Where contents are rewritten, the caller's is not the server's, and a part of the server's does
 * not fit it: see exchange_judge_part(). RFC 9110, 14.2: only with GET does a server look at Range.
 * One that does so with another method could not be asked again for the whole. */
static uint64_t part_drops(struct exchange *x, const struct head *h)
{
    if (x->base.n == 0)
        return 0;
    if (x->method != METHOD_GET && x->method != METHOD_HEAD)
        return field_bit(FIELD_RANGE);
    x->asks_for_part = head_has(h, FIELD_RANGE);
    return 0;
}

/* A coded body would have to be coded again. */
static bool has_links(const struct exchange *x, const struct head *h)
{
    return x->base.n > 0 && x->request.body.in != FRAMING_NONE && links_are_in(h) &&
           !head_has(h, FIELD_CONTENT_ENCODING);
}

static void edit(struct exchange *x, const struct head *h, const struct target *t)
{
    const struct tenant *tenant = x->tenant;
    struct edit_rules rules = {.host = tenant->host_field,
                               .company_id = tenant->company_id,
                               .headers = tenant->headers,
                               .nheaders = tenant->nheaders,
                               .keep_authorization =
                                   tenant->keep_authorization && tenant->callers == NULL,
                               .undoes_codings = tenant->rewrite_links,
                               .ctx = x};

    x->forwards_authorization = rules.keep_authorization && head_has(h, FIELD_AUTHORIZATION);
    if (tenant->rewrite_links)
        links_write_base(&x->base, h, t, is_tls(x->client));
    if (x->generation->config->ntenants > 1)
        rules.write_cookie = write_cookie;
    rules.drop = page_drops(x) | part_drops(x, h);
    if (has_links(x, h))
        rules.body = request_pump_filter(&x->request, h,
                                         link_filter_for_request(tenant, buf_slice(&x->base), h));
    buf_reserve(&x->request.head, 1024);
    edit_request(&x->request.head, h, t, &rules);
    request_pump_trailers(&x->request, h, tenant->headers, tenant->nheaders);
}

/* For the record, which reads method and path off the head, of a request that never gets there. */
static void keep_start_line(struct exchange *x, const struct head *h)
{
    buf_addf(&x->request.head, "%.*s %.*s ", (int)h->method_name.n, h->method_name.p,
             (int)h->target.n, h->target.p);
}

/* ---- the caller's password (callers-file) ---- */

static struct decision refuse_caller(struct exchange *x, const char *what)
{
    struct failure why;

    failure_set(&why, FAIL_CALLER_UNKNOWN, "The request %s.", what);
    return exchange_fails(x, &why);
}

/* Rules are for known callers only: strangers do not learn them. */
static struct decision set_out(struct exchange *x)
{
    if (x->barred != NULL)
        return exchange_fails(x, x->barred);
    return x->request.collects ? DECIDE(STEP_COLLECT) : exchange_choose_identity(x);
}

struct decision exchange_judge_caller(struct exchange *x, bool known)
{
    x->admitted = known;
    return known ? set_out(x)
                 : refuse_caller(x, "has Basic credentials that this tenant does not know");
}

static struct decision ask(struct exchange *x, const struct basic *b, check_done *checked)
{
    const struct tenant *t = x->tenant;
    struct credentials what = {.tenant = t->name,
                               .hash = callers_hash(t->callers, b->user),
                               .user = b->user,
                               .password = b->password};

    if (x->generation->config->log_caller)
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
    struct basic b;

    if (head_count(h, FIELD_AUTHORIZATION) != 1 ||
        !basic_read(head_value(h, FIELD_AUTHORIZATION), &b))
        return refuse_caller(x, "lacks the Basic credentials that this tenant asks for");
    struct decision d = ask(x, &b, checked);
    basic_wipe(&b);
    return d;
}

/* ---- all of it ---- */

struct decision exchange_judge(struct exchange *x, const struct client_request *r,
                               check_done *checked)
{
    const struct guard_view view = view_of(x);
    struct target target;
    struct failure why;

    x->page = guard_page(view.config, r->head);
    bool admitted = target_parse(r->head, &target, &why);
    target.own = admitted && guard_names_proxy(&view, &target);
    admitted = admitted && guard_admits(&view, r->head, &target, &why);
    bool preflight = admitted && x->page != NULL && cors_is_preflight(r->head);
    if (preflight || !admitted || !find_tenant(x, r, &view, &target, &why)) {
        keep_start_line(x, r->head);
        return preflight ? answer_preflight(x, r->head) : exchange_fails(x, &why);
    }
    edit(x, r->head, &target);
    if (x->tenant->rules != NULL && !rules_cover(x->tenant->rules, r->head, &target, &why)) {
        x->barred = NEW(struct failure);
        *x->barred = why;
    }
    return x->tenant->callers != NULL ? admit(x, r->head, checked) : set_out(x);
}
