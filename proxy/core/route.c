#include "core/route.h"

#include <string.h>

#include "http/basic.h"

/* What the request says of itself. */
struct claims {
    const struct config *config;
    int listener_tenant;
    const struct target *target;
    struct slice header_company; /* p NULL: none */
    bool has_basic;
    char basic_company[BASIC_MAX_COMPANY];
    bool contradicts; /* it names what can be no tenant's, or two companies */
};

static bool port_fits(const struct tenant *t, const struct target *target)
{
    int port = target->authority.port;

    return port == 0 || port == (target->https ? 443 : 80) || port == t->server.port;
}

static bool fits(const struct claims *c, size_t i)
{
    const struct tenant *t = c->config->tenants[i];

    if (c->contradicts)
        return false;
    if (c->listener_tenant >= 0 && (size_t)c->listener_tenant != i)
        return false;
    if (c->target->form == TARGET_ABSOLUTE &&
        (!tenant_has_name(t, c->target->authority.host) || !port_fits(t, c->target)))
        return false;
    if (c->header_company.p != NULL && !slice_eq(c->header_company, slice_of(t->company_id)))
        return false;
    return !c->has_basic || strcmp(c->basic_company, t->company_id) == 0;
}

/* A filter that is on, as a word in the sentence. */
static void add_found(struct buf *b, const char *what, struct slice value)
{
    if (b->n > 0)
        buf_add_string(b, ", ");
    buf_addf(b, "%s %.*s", what, (int)value.n, value.p);
}

static void explain_none(const struct claims *c, struct failure *why)
{
    struct buf found = {0};

    if (c->listener_tenant >= 0)
        add_found(&found, "the listener of tenant",
                  slice_of(c->config->tenants[c->listener_tenant]->name));
    if (c->target->form == TARGET_ABSOLUTE) {
        struct buf host = {0};
        authority_write(&host, &c->target->authority, c->target->https ? 443 : 80);
        add_found(&found, "the server", buf_slice(&host));
        buf_free(&host);
    }
    if (c->header_company.p != NULL)
        add_found(&found, "successfactors-companyid", c->header_company);
    if (c->has_basic)
        add_found(&found, "the company of Basic credentials", slice_of(c->basic_company));
    if (c->contradicts)
        add_found(&found, "also", SLICE("another company in its credentials"));
    failure_set(why, FAIL_TENANT_UNKNOWN,
                "No configured tenant fits the request, which names %.*s.", (int)found.n, found.p);
    buf_free(&found);
}

/* All Authorization fields count, though there should be one. */
static void read_credentials(struct claims *c, const struct head *request)
{
    size_t at = 0;
    const struct field *f;

    while ((f = head_next(request, FIELD_AUTHORIZATION, &at)) != NULL) {
        char company[BASIC_MAX_COMPANY];
        enum basic_result result = basic_company(f->value, company);
        if (result == BASIC_ODD ||
            (result == BASIC_NAMED && c->has_basic && strcmp(company, c->basic_company) != 0)) {
            c->contradicts = true;
        } else if (result == BASIC_NAMED) {
            c->has_basic = true;
            memcpy(c->basic_company, company, sizeof(company));
        }
    }
}

int route_find(const struct config *config, int listener_tenant, const struct head *request,
               const struct target *target, struct failure *why)
{
    struct claims c = {.config = config, .listener_tenant = listener_tenant, .target = target};
    int found = -1, count = 0;

    if (head_count(request, FIELD_COMPANY_ID) > 1) {
        failure_plain(why, FAIL_COMPANY_REPEATED);
        return -1;
    }
    c.header_company = head_value(request, FIELD_COMPANY_ID);
    read_credentials(&c, request);
    for (size_t i = 0; i < config->ntenants; i++) {
        if (fits(&c, i)) {
            found = (int)i;
            count++;
        }
    }
    if (count == 0)
        explain_none(&c, why);
    else if (count > 1)
        failure_plain(why, FAIL_TENANT_AMBIGUOUS);
    return count == 1 ? found : -1;
}
