#include "exchange/judgement.h"

#include "exchange/links.h"
#include "http/cors.h"
#include "http/max_forwards.h"
#include "policy/route.h"

/* ---- which tenant? ---- */

static bool find_tenant(struct judgement *j, const struct guard_view *v,
                        const char *listener_tenant, const struct head *h, struct failure *why)
{
    if (v->inside != NULL) { /* inside a CONNECT, the CONNECT's target decides */
        j->target.form = TARGET_AUTHORITY;
        j->target.authority = v->inside->target;
    }
    j->index = route_find(v->config, listener_tenant, h, &j->target, why);
    if (j->index < 0)
        return false;
    j->tenant = v->config->tenants[j->index];
    return guard_knows_caller(v, j->tenant, why) && guard_reads_credentials(v, j->tenant, h, why);
}

static bool find_own_answer(struct judgement *j, const struct head *h, struct failure *why)
{
    uint64_t left;

    if (!max_forwards_read(h, &left, why))
        return false;
    if (j->page != NULL && cors_is_preflight(h))
        j->own_answer = OWN_ANSWER_PREFLIGHT;
    else if (left == 0)
        j->own_answer = OWN_ANSWER_OPTIONS;
    return true;
}

bool judgement_make(struct judgement *j, const struct guard_view *v, const char *listener_tenant,
                    const struct head *h, struct failure *why)
{
    *j = (struct judgement){.page = guard_page(v->config, h), .index = -1};
    if (!target_parse(h, &j->target, why))
        return false;
    j->target.own = guard_names_proxy(v, &j->target);
    if (!guard_admits(v, h, &j->target, why))
        return false;
    if (!find_own_answer(j, h, why))
        return false;
    return j->own_answer == OWN_ANSWER_PREFLIGHT || find_tenant(j, v, listener_tenant, h, why);
}

/* ---- the caller's password (callers-file) ---- */

bool judgement_read_credentials(const struct head *h, struct basic *out, struct failure *why)
{
    if (head_count(h, FIELD_AUTHORIZATION) == 1 &&
        basic_read(head_value(h, FIELD_AUTHORIZATION), out))
        return true;
    failure_set(why, FAIL_CALLER_UNKNOWN,
                "The request lacks the Basic credentials that this tenant asks for.");
    return false;
}

void judgement_refuse_caller(struct failure *why)
{
    failure_set(why, FAIL_CALLER_UNKNOWN,
                "The request has Basic credentials that this tenant does not know.");
}

/* ---- what does the server get of it? ---- */

void judgement_write_base(const struct judgement *j, const struct head *h, bool tls,
                          struct buf *base)
{
    if (j->tenant->rewrite_links)
        links_write_base(base, h, &j->target, tls);
}

/* Drops the fields by which the server would judge the page: its rules were made for other
 * hosts. */
static uint64_t page_drops(const struct judgement *j)
{
    return j->page == NULL
               ? 0
               : field_bit(FIELD_ORIGIN) | field_bit(FIELD_SEC_FETCH_SITE) | field_bit(FIELD_CORS);
}

static bool may_ask_for_part(const struct head *h)
{
    return h->method == METHOD_GET || h->method == METHOD_HEAD;
}

/* If contents are rewritten, a Range of the caller counts bytes that the server does not have, and
 * a part that the server sends does not fit (exchange_judge_part()). Only GET has a Range (RFC
 * 9110, 14.2). A server that honours Range with another method could not be asked again for the
 * whole content, so Range is dropped there. */
static uint64_t part_drops(const struct head *h, struct slice base)
{
    return base.n > 0 && !may_ask_for_part(h) ? field_bit(FIELD_RANGE) : 0;
}

bool judgement_asks_for_part(const struct head *h, struct slice base)
{
    return base.n > 0 && may_ask_for_part(h) && head_has(h, FIELD_RANGE);
}

/* A coded body is not rewritten, because it would have to be coded again. */
bool judgement_rewrites_body(const struct head *h, struct slice base)
{
    return base.n > 0 && framing_of_request(h) != FRAMING_NONE && links_are_in(h) &&
           !head_has(h, FIELD_CONTENT_ENCODING);
}

void judgement_set_rules(const struct judgement *j, const struct head *h, struct slice base,
                         struct edit_rules *rules)
{
    const struct tenant *tenant = j->tenant;

    *rules = (struct edit_rules){.host = tenant->host_field,
                                 .company_id = tenant->company_id,
                                 .headers = tenant->headers,
                                 .nheaders = tenant->nheaders,
                                 .keep_authorization =
                                     tenant->keep_authorization && tenant->callers == NULL,
                                 .undoes_codings = tenant->rewrite_links,
                                 .drop = page_drops(j) | part_drops(h, base)};
}
