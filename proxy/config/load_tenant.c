#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/load_parts.h"
#include "config/parent_proxy.h"
#include "sf/hosts.h"

static enum status refuse_missing(const struct loader *l, const char *key, struct diag *why)
{
    struct buf cure = {0};

    settings_add_cure(l->section, key, &cure);
    diag_at(why, l->tenant->where, "the tenant%s%s has no `%s`; add %.*s",
            l->section->source == FROM_FILE ? "" : " ",
            l->section->source == FROM_FILE ? "" : l->tenant->name, key, (int)cure.n, cure.p);
    buf_free(&cure);
    return ST_BAD_INPUT;
}

static enum status check_required(const struct loader *l, struct diag *why)
{
    size_t count;
    const struct option *options = option_table(&count);

    for (size_t i = 0; i < count; i++)
        if (options[i].section == SECTION_TENANT && options[i].required &&
            l->tenant->set_at[i] == NULL &&
            !(tenant_fetches(l->tenant) && strcmp(options[i].key, "certificate") == 0))
            return refuse_missing(l, options[i].key, why);
    return ST_OK;
}

static void add_name(struct tenant *t, const char *name, size_t *count)
{
    for (size_t i = 0; i < *count; i++)
        if (strcmp(t->names[i], name) == 0)
            return;
    t->names = mem_grow(t->names, (*count + 2) * sizeof(t->names[0]));
    t->names[(*count)++] = mem_copy_string(name);
    t->names[*count] = NULL;
}

static void warn_about_host(const struct loader *l, const struct sf_lookup *found)
{
    const struct tenant *t = l->tenant;

    if (found->kind == SF_UI)
        load_note(
            l->config, LOG_WARNING,
            mem_format(
                "%s: %s serves the user interface, not the APIs; use %s%s`sfmtls hosts` lists "
                "all of them",
                tenant_where(l->tenant, "server"), t->server.host,
                found->api_host[0] == '\0' ? "the API server of your data center" : found->api_host,
                found->api_host[0] == '\0' ? "; " : ", the API server of the same data center; "));
    else if (found->kind == SF_API && !found->certain)
        load_note(l->config, LOG_WARNING,
                  mem_format("%s: the certificate host of %s is not documented; %s is assumed "
                             "(server-as-is = yes switches that off)",
                             tenant_where(l->tenant, "server"), found->api_host,
                             found->certificate_host));
}

/* A host that is not in the table is either new or mistyped. */
static void doubt_host(const struct loader *l, const struct sf_lookup *found)
{
    const struct sf_host *similar = sf_meant_host(l->tenant->server.host);

    if (similar != NULL)
        load_note(
            l->config, found->kind == SF_API ? LOG_NOTICE : LOG_WARNING,
            mem_format("%s: %s is not an API server that sfmtls knows; did you mean %s? (`sfmtls "
                       "hosts` lists them)",
                       tenant_where(l->tenant, "server"), l->tenant->server.host, similar->api));
}

/* Finds the host to connect to, and all names of it that callers may use. */
static void derive_server(const struct loader *l)
{
    struct tenant *t = l->tenant;
    struct sf_lookup found = sf_lookup_host(t->server.host);
    size_t names = 0, nhosts;
    const struct sf_host *hosts = sf_hosts(&nhosts);

    bool derived = found.kind == SF_API && !t->server_as_is;

    add_name(t, t->server.host, &names);
    if (!t->server_as_is) {
        warn_about_host(l, &found);
        doubt_host(l, &found);
    }
    if (derived) {
        add_name(t, found.certificate_host, &names);
        add_name(t, found.api_host, &names);
        free(t->server.host);
        t->server.host = mem_copy_string(found.certificate_host);
    }
    for (size_t i = 0; derived && i < nhosts; i++)
        if (strcmp(hosts[i].certificate, found.certificate_host) == 0)
            add_name(t, hosts[i].api, &names);
    t->require_request =
        t->require_choice == YES ||
        (t->require_choice == AUTO && found.kind == SF_API && (derived || found.was_certificate));
}

static void add_place(struct tenant *t, const char *scheme, int port, const char *name)
{
    char *origin = mem_format(strchr(name, ':') != NULL ? "%s://[%s]" : "%s://%s", scheme, name);

    t->places = mem_grow(t->places, (t->nplaces + 1) * sizeof(t->places[0]));
    t->places[t->nplaces++] = (struct link_place){slice_of(origin), port, t->server.port};
}

/* The URLs that callers may send in absolute-form are also links to the server. */
static void name_places(struct tenant *t)
{
    for (char **name = t->names; *name != NULL; name++) {
        add_place(t, "https", 443, *name);
        add_place(t, "http", 80, *name);
    }
    t->url = mem_format("https://%s", t->host_field);
}

static void describe_server(struct tenant *t)
{
    struct authority a = {.host = slice_of(t->server.host),
                          .port = t->server.port,
                          .ipv6 = strchr(t->server.host, ':') != NULL};
    struct buf text = {0};

    authority_write(&text, &a, 443);
    t->host_field = mem_copy_bytes(text.p, text.n);
    if (t->connect_to.host != NULL)
        buf_addf(&text, " (at %s:%d)", t->connect_to.host, t->connect_to.port);
    t->peer = mem_copy_bytes(text.p, text.n);
    buf_free(&text);
}

static void note_trust(struct loader *l, const struct trust *t)
{
    static const enum log_level levels[] = {
        [FINDING_NOTE] = LOG_NOTICE, [FINDING_WARNING] = LOG_WARNING, [FINDING_ERROR] = LOG_ERROR};
    const char *key = l->tenant->crl_file == NULL ? "ca-file" : "crl-file";
    const char *path = l->tenant->crl_file == NULL ? l->tenant->ca_file : l->tenant->crl_file;
    size_t count;
    const struct finding *findings = trust_findings(t, &count);

    for (size_t i = 0; i < count; i++)
        load_note(
            l->config, levels[findings[i].level],
            mem_format("%s: %s: %s", tenant_where(l->tenant, key), path, findings[i].sentence));
    if (trust_is_empty(t))
        load_note(
            l->config, LOG_WARNING,
            mem_format("%s: this machine has no CA certificates, so no server can be verified; "
                       "install ca-certificates or name a file with ca-file",
                       l->tenant->where));
}

static enum status find_trust(struct loader *l, struct trust **out, struct diag *why)
{
    const char *path = l->tenant->ca_file, *crl_path = l->tenant->crl_file;
    bool lists_at_fault;

    for (size_t i = 0; i < l->ntrusts; i++) {
        if (trust_is_from(l->trusts[i], path, crl_path)) {
            *out = l->trusts[i];
            return ST_OK;
        }
    }
    enum status st = trust_load(path, crl_path, out, &lists_at_fault, why);
    if (st != ST_OK) {
        if (lists_at_fault || path != NULL)
            diag_place(why, tenant_where(l->tenant, lists_at_fault ? "crl-file" : "ca-file"));
        return st;
    }
    note_trust(l, *out);
    l->trusts = mem_grow(l->trusts, (l->ntrusts + 1) * sizeof(l->trusts[0]));
    l->trusts[l->ntrusts++] = *out;
    return ST_OK;
}

/* Tenants with equal keys may share connections. */
void load_write_pool_key(struct tenant *t)
{
    buf_free(&t->pool_key);
    buf_addf(&t->pool_key, "%s\n%s\n%s\n%d\n%s\n%d\n%d\n", t->name, t->company_id, t->server.host,
             t->server.port, t->connect_to.host == NULL ? "" : t->connect_to.host,
             t->connect_to.port, t->require_request ? 1 : 0);
    parent_proxy_digest(t->parent, &t->pool_key);
    for (int i = 0; i < IDENTITIES; i++)
        if (tenant_has_identity(t, i))
            credential_digest(t->identities[i].credential, &t->pool_key);
    trust_digest(t->trust, &t->pool_key);
}

static enum status load_security(struct loader *l, struct diag *why)
{
    struct trust *trust;
    enum status st = find_trust(l, &trust, why);

    if (st != ST_OK)
        return st;
    l->tenant->trust = trust_ref(trust);
    st = load_identities(l, why);
    if (st == ST_OK)
        st = load_tls_clients(l, why);
    if (st == ST_OK)
        load_write_pool_key(l->tenant);
    return st;
}

enum status load_complete_tenant(struct loader *l, struct diag *why)
{
    enum status st = check_required(l, why);

    if (st == ST_OK)
        st = load_store(l, why);
    if (st != ST_OK)
        return st;
    l->config->keeps_sessions = l->config->keeps_sessions || l->tenant->session_reuse;
    derive_server(l);
    describe_server(l->tenant);
    name_places(l->tenant);
    if (l->names_only)
        return ST_OK;
    st = load_callers(l, why);
    return st == ST_OK ? load_security(l, why) : st;
}
