#include "config/config.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/fixed.h"
#include "config/load.h"
#include "config/option.h"
#include "config/parent_proxy.h"

struct shared_config {
    struct config config; /* first: pointers to it are converted to pointers to the whole struct */
    atomic_int refs;
};

struct config *config_new(void)
{
    struct shared_config *s = NEW(struct shared_config);

    atomic_init(&s->refs, 1);
    return &s->config;
}

static struct shared_config *shared(struct config *c)
{
    return (struct shared_config *)(void *)c;
}

struct config *config_ref(struct config *c)
{
    atomic_fetch_add_explicit(&shared(c)->refs, 1, memory_order_relaxed);
    return c;
}

static void identity_release(struct identity *i)
{
    credential_unref(i->credential);
    free(i->flaw);
    tls_client_unref(i->tls);
}

static void forget_places(char **set_at)
{
    for (size_t i = 0; i < OPTIONS_MAX; i++)
        free(set_at[i]);
}

static void tenant_free(struct tenant *t)
{
    for (char **name = t->names; name != NULL && *name != NULL; name++)
        free(*name);
    for (size_t i = 0; i < t->nheaders; i++) {
        free((char *)(uintptr_t)t->headers[i].name);
        free((char *)(uintptr_t)t->headers[i].value);
        free(t->header_wheres[i]);
    }
    for (int i = 0; i < IDENTITIES; i++)
        identity_release(&t->identities[i]);
    trust_unref(t->trust);
    buf_free(&t->pool_key);
    for (size_t i = 0; i < t->nplaces; i++)
        free((char *)(uintptr_t)t->places[i].origin.p);
    free(t->places);
    tenant_free_rates(t);
    free(t->url);
    free(t->names);
    free(t->headers);
    free(t->header_wheres);
    free(t->name);
    free(t->where);
    option_free_texts(SECTION_TENANT, t);
    forget_places(t->set_at);
    free(t->server.host);
    free(t->connect_to.host);
    parent_proxy_unref(t->parent);
    free(t->host_field);
    free(t->peer);
    callers_free(t->callers);
    rules_free(t->rules);
    free(t);
}

static void listens_free(struct listen_address *l, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(l[i].where);
    free(l);
}

void config_unref(struct config *c)
{
    if (c == NULL || atomic_fetch_sub_explicit(&shared(c)->refs, 1, memory_order_acq_rel) > 1)
        return;
    for (size_t i = 0; i < c->ntenants; i++)
        tenant_free(c->tenants[i]);
    listens_free(c->listens, c->nlistens);
    listens_free(c->admins, c->nadmins);
    fixed_free(c);
    free(c->tenants);
    for (size_t i = 0; i < c->nnotes; i++)
        free(c->notes[i].sentence);
    free(c->notes);
    for (size_t i = 0; i < c->ngiven; i++) {
        free(c->given[i].tenant);
        free(c->given[i].key);
        free(c->given[i].value);
        free(c->given[i].where);
        free(c->given[i].replaced);
    }
    free(c->given);
    for (size_t i = 0; i < c->nfiles; i++) {
        buf_free(&c->files[i].mark);
        free(c->files[i].path);
        free(c->files[i].where);
    }
    free(c->files);
    local_ca_unref(c->local_ca);
    for (size_t i = 0; i < c->nconnect_allow; i++) {
        free(c->connect_allow[i].host);
        free(c->connect_allow_wheres[i]);
        parent_proxy_unref(c->connect_parents == NULL ? NULL : c->connect_parents[i]);
    }
    free(c->connect_parents);
    free(c->connect_allow);
    free(c->connect_allow_wheres);
    free(c->allow_uid.list);
    free(c->admin_allow_uid.list);
    for (size_t i = 0; i < c->nhost_names; i++)
        free(c->host_names[i]);
    free(c->host_names);
    for (size_t i = 0; i < c->norigins; i++) {
        free(c->origins[i].origin);
        free(c->origins[i].fields);
    }
    free(c->origins);
    tokens_free(c->tokens);
    tokens_free(c->admin_tokens);
    option_free_texts(SECTION_PROXY, c);
    forget_places(c->set_at);
    free(c->file);
    free(shared(c));
}

const char *config_where(const struct config *c, const char *key)
{
    return c->set_at[option_index(SECTION_PROXY, key)];
}

const char *tenant_where(const struct tenant *t, const char *key)
{
    return t->set_at[option_index(SECTION_TENANT, key)];
}

bool tenant_has_name(const struct tenant *t, struct slice host)
{
    for (char **name = t->names; *name != NULL; name++)
        if (authority_host_eq(slice_of(*name), host))
            return true;
    return false;
}

const struct tenant *config_first_that_fetches(const struct config *c)
{
    for (size_t i = 0; i < c->ntenants; i++)
        if (tenant_fetches(c->tenants[i]))
            return c->tenants[i];
    return NULL;
}

bool config_has_name(const struct config *c, struct slice host)
{
    for (size_t i = 0; i < c->ntenants; i++)
        if (tenant_has_name(c->tenants[i], host))
            return true;
    return false;
}

bool config_has_host_name(const struct config *c, struct slice host)
{
    for (size_t i = 0; i < c->nhost_names; i++)
        if (authority_host_eq(slice_of(c->host_names[i]), host) ||
            authority_address_eq(slice_of(c->host_names[i]), host))
            return true;
    return false;
}

const struct allowed_uids *config_admin_uids(const struct config *c)
{
    return config_where(c, "admin-allow-uid") != NULL ? &c->admin_allow_uid : &c->allow_uid;
}

const struct tokens *config_admin_tokens(const struct config *c)
{
    return c->admin_tokens != NULL ? c->admin_tokens : c->tokens;
}

const struct page_origin *config_find_origin(const struct config *c, struct slice origin)
{
    for (size_t i = 0; i < c->norigins; i++)
        if (slice_eq(slice_of(c->origins[i].origin), origin))
            return &c->origins[i];
    return NULL;
}

bool tenant_is_same_peer(const struct tenant *a, const struct tenant *b)
{
    return slice_eq(buf_slice(&a->pool_key), buf_slice(&b->pool_key));
}

bool tenant_is_same_account(const struct tenant *a, const struct tenant *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->company_id, b->company_id) == 0 &&
           strcmp(a->host_field, b->host_field) == 0;
}
