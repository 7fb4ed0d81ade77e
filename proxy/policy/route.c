#include "policy/route.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/similar.h"
#include "http/basic.h"
#include "sf/cause.h"

/* What the request says about its tenant. */
struct claims {
    const struct config *config;
    const char *listener_tenant; /* NULL: the listener serves all tenants */
    const struct target *target;
    struct slice header_company; /* p NULL: there is no such field */
    bool has_basic;
    char basic_company[BASIC_MAX_COMPANY];
    bool contradicts; /* it names two companies, or one that cannot exist */
};

/* The ways in which a request can name its tenant. Each way that is used filters the candidates. */
enum claim { BY_LISTENER, BY_TARGET, BY_HEADER, BY_CREDENTIALS, CLAIMS };

static bool is_made(const struct claims *c, enum claim by)
{
    const bool made[CLAIMS] = {[BY_LISTENER] = c->listener_tenant != NULL,
                               [BY_TARGET] =
                                   (c->target->form == TARGET_ABSOLUTE && !c->target->own) ||
                                   c->target->form == TARGET_AUTHORITY,
                               [BY_HEADER] = c->header_company.p != NULL,
                               [BY_CREDENTIALS] = c->has_basic};

    return made[by];
}

static bool port_fits(const struct tenant *t, const struct target *target)
{
    int port = target->authority.port;

    if (target->form == TARGET_AUTHORITY &&
        (port == authority_default_port(true) || port == authority_default_port(false)))
        return true;
    return port == 0 || port == authority_default_port(target->https) || port == t->server.port;
}

static bool is_server_of(const struct tenant *t, const struct target *target)
{
    return tenant_has_name(t, target->authority.host) && port_fits(t, target);
}

static bool means(const struct claims *c, enum claim by, size_t i)
{
    const struct tenant *t = c->config->tenants[i];

    switch (by) {
    case BY_LISTENER:
        return strcmp(c->listener_tenant, t->name) == 0;
    case BY_TARGET:
        return is_server_of(t, c->target);
    case BY_HEADER:
        return slice_eq(c->header_company, slice_of(t->company_id));
    default:
        return strcmp(c->basic_company, t->company_id) == 0;
    }
}

static bool fits(const struct claims *c, size_t i)
{
    if (c->contradicts)
        return false;
    for (enum claim by = 0; by < CLAIMS; by++)
        if (is_made(c, by) && !means(c, by, i))
            return false;
    return true;
}

/* ---- sentences ---- */

static void add_word(struct buf *b, const char *what, struct slice value)
{
    if (b->n > 0)
        buf_add_string(b, ", ");
    buf_addf(b, "%s %.*s", what, (int)value.n, value.p);
}

/* Appends what the request says, as a sentence part. */
static void add_claims(struct buf *b, const struct claims *c)
{
    if (is_made(c, BY_LISTENER))
        add_word(b, "the listener of tenant", slice_of(c->listener_tenant));
    if (is_made(c, BY_TARGET)) {
        struct buf host = {0};
        authority_write(&host, &c->target->authority, authority_default_port(c->target->https));
        add_word(b, "the server", buf_slice(&host));
        buf_free(&host);
    }
    if (is_made(c, BY_HEADER))
        add_word(b, "successfactors-companyid", c->header_company);
    if (is_made(c, BY_CREDENTIALS))
        add_word(b, "the company after the last @ of the Basic user", slice_of(c->basic_company));
    if (c->contradicts)
        add_word(b, "also", SLICE("another company in its credentials"));
}

/* Does each claim alone fit some tenant, while no tenant fits all of them? */
static bool is_contradiction(const struct claims *c)
{
    int made = 0;

    for (enum claim by = 0; by < CLAIMS; by++) {
        bool known = false;
        if (!is_made(c, by))
            continue;
        made++;
        for (size_t i = 0; i < c->config->ntenants && !known; i++)
            known = means(c, by, i);
        if (!known)
            return false;
    }
    return made > 1;
}

/* Do the two differ only in upper and lower case, or in one letter (in two if they are long)? */
static bool is_similar(const char *said, const char *company)
{
    size_t n = strlen(company), letters = n < 4 ? 0 : n < 8 ? 1 : 2;

    return strcmp(said, company) != 0 &&
           (strcasecmp(said, company) == 0 || similar_distance(said, company) <= letters);
}

/* The company ID that was probably meant; NULL: there is none. The caller's token was checked
 * before, but not its password. So a tenant with a callers-file is not revealed. */
static const char *similar_company(const struct claims *c)
{
    struct slice header = c->header_company;
    char said[BASIC_MAX_COMPANY];

    if (!is_made(c, BY_HEADER) && !is_made(c, BY_CREDENTIALS))
        return NULL;
    (void)snprintf(said, sizeof(said), "%.*s", (int)header.n, header.n > 0 ? header.p : "");
    for (size_t i = 0; i < c->config->ntenants; i++) {
        const struct tenant *t = c->config->tenants[i];
        if (t->callers == NULL &&
            is_similar(is_made(c, BY_HEADER) ? said : c->basic_company, t->company_id))
            return t->company_id;
    }
    return NULL;
}

static void explain_none(const struct claims *c, struct failure *why)
{
    const char *similar = similar_company(c);
    struct buf said = {0};

    add_claims(&said, c);
    if (is_contradiction(c))
        failure_set(
            why, FAIL_TENANT_UNKNOWN,
            "The request contradicts itself, for no tenant is all that it names: %.*s; send "
            "one of these, or make them agree.",
            (int)said.n, said.p);
    else
        failure_set(why, FAIL_TENANT_UNKNOWN,
                    "No configured tenant fits the request, which names %.*s.%s%s%s", (int)said.n,
                    said.p, similar == NULL ? "" : " Did you mean ", similar == NULL ? "" : similar,
                    similar == NULL ? "" : "?");
    if (similar != NULL && !is_contradiction(c))
        cause_refine(why, cause_of(CAUSE_COMPANY_MISTYPED));
    buf_free(&said);
}

static void explain_several(const struct claims *c, struct failure *why)
{
    struct buf said = {0}, names = {0};

    add_claims(&said, c);
    for (size_t i = 0; i < c->config->ntenants; i++)
        if (fits(c, i))
            buf_addf(&names, "%s%s", names.n == 0 ? "" : ", ", c->config->tenants[i]->name);
    if (said.n == 0)
        failure_plain(why, FAIL_TENANT_AMBIGUOUS);
    else
        failure_set(why, FAIL_TENANT_AMBIGUOUS,
                    "Several tenants fit what the request names (%.*s): "
                    "%.*s.",
                    (int)said.n, said.p, (int)names.n, names.p);
    buf_free(&said);
    buf_free(&names);
}

/* Reads all Authorization fields, although there should be only one. */
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

void route_write_claims(const struct config *config, const char *listener_tenant,
                        const struct head *request, const struct target *target, struct buf *out)
{
    struct claims c = {.config = config, .listener_tenant = listener_tenant, .target = target};

    c.header_company = head_value(request, FIELD_COMPANY_ID);
    read_credentials(&c, request);
    add_claims(out, &c);
}

int route_find(const struct config *config, const char *listener_tenant, const struct head *request,
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
        explain_several(&c, why);
    return count == 1 ? found : -1;
}

bool route_has_server(const struct config *config, const struct target *target)
{
    for (size_t i = 0; i < config->ntenants; i++)
        if (is_server_of(config->tenants[i], target))
            return true;
    return false;
}

bool route_leads(const struct config *config, const char *listener_tenant,
                 const struct target *target, struct failure *why)
{
    const struct claims c = {
        .config = config, .listener_tenant = listener_tenant, .target = target};

    for (size_t i = 0; i < config->ntenants; i++)
        if (fits(&c, i))
            return true;
    explain_none(&c, why);
    return false;
}
