#include "ops/check_probe.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "sf/cause.h"

static const struct tenant *tenant_of(const struct check_probe *p)
{
    return p->config->tenants[p->tenant];
}

/* What the server has answered. */
struct answers {
    struct buf json, text;
};

static void add_probe(const struct check_probe *p, struct call_room *room, struct answers *said,
                      size_t tenant, int identity, const char *name)
{
    struct call_result r;

    call_make(room, tenant, identity, p->options->path, &r);
    const struct cause_answer answer = {r.status, slice_of(r.content_type), buf_slice(&r.content)};
    struct cause_found found;
    const struct cause *c = r.failed ? NULL : cause_of_answer(&answer, &found);
    const char *outcome = r.failed                            ? failure_code(&r.failure)
                          : r.status >= 200 && r.status < 300 ? "accepted"
                          : c != NULL                         ? c->code
                                                              : "another-answer";
    buf_addf(&said->text, "%s %s: %s", said->text.n == 0 ? "" : ";", name, outcome);
    buf_add_string(&said->json, said->json.n == 0 ? "{" : ",{");
    json_add_member(&said->json, "with", slice_of(name));
    json_add_member(&said->json, "outcome", slice_of(outcome));
    buf_add_string(&said->json, "}");
    call_result_free(&r);
}

static bool has_same_certificate(const struct check_probe *p, const struct tenant *other)
{
    const struct credential *own = tenant_of(p)->identities[p->identity].credential,
                            *its = other->identities[IDENTITY_CURRENT].credential;

    return other != tenant_of(p) && its != NULL &&
           memcmp(credential_fingerprint(own), credential_fingerprint(its),
                  CREDENTIAL_FINGERPRINT_SIZE) == 0;
}

/* Asks the plain host. It takes no certificate, but its answer shows if it does not know the
 * company. */
static void probe_plain_host(const struct check_probe *p, struct answers *said)
{
    const struct tenant *plain =
        p->options->plain == NULL ? NULL : p->options->plain->tenants[p->tenant];

    if (plain == NULL || strcmp(plain->host_field, tenant_of(p)->host_field) == 0 ||
        plain->identities[p->identity].credential == NULL)
        return;
    char *name = mem_format("plain host %s", plain->host_field);
    struct call_room *room = call_room_new(p->options->plain);
    add_probe(p, room, said, p->tenant, p->identity, name);
    call_room_free(room);
    free(name);
}

static void report(struct check_report *company, const struct answers *said)
{
    char *before = company->sentence;

    buf_addf(&company->evidence, "%s\"probes\":[%.*s]", company->evidence.n == 0 ? "" : ",",
             (int)said->json.n, said->json.n == 0 ? "" : said->json.p);
    if (said->text.n == 0)
        return;
    company->sentence =
        mem_format("%s Asked also with%.*s.", before, (int)said->text.n, said->text.p);
    free(before);
}

/* Adds what the server answers to the other certificate, and to this one for other companies, and
 * what the plain host answers. */
void check_probe(const struct check_probe *p, struct check_report *company)
{
    struct answers said = {0};
    int other = 1 - p->identity;

    if (company->code == NULL || strcmp(company->code, cause_of(CAUSE_AUTH0032)->code) != 0)
        return;
    if (tenant_has_identity(tenant_of(p), other))
        add_probe(p, p->room, &said, p->tenant, other, identity_title(other));
    probe_plain_host(p, &said);
    for (size_t i = 0; i < p->config->ntenants; i++) {
        if (!has_same_certificate(p, p->config->tenants[i]))
            continue;
        char *name = mem_format("tenant %s", p->config->tenants[i]->name);
        add_probe(p, p->room, &said, i, IDENTITY_CURRENT, name);
        free(name);
    }
    report(company, &said);
    buf_free(&said.json);
    buf_free(&said.text);
}
