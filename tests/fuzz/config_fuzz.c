/*
 * Any bytes as a configuration, without what it names. Either one sentence says what is wrong, or
 * every tenant is whole, and written down as a configuration again it is the same tenant.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "config/config.h"
#include "memory_file.h"

static struct memory_file file, copy_file;

static void check_tenant(const struct config *c, const struct tenant *t)
{
    struct authority a;

    if (t->company_id == NULL || t->server.host == NULL || t->names == NULL ||
        t->names[0] == NULL || t->identities[IDENTITY_CURRENT].certificate == NULL)
        abort();
    if (!authority_parse(slice_of(t->host_field), &a) || t->server.port < 1 ||
        t->server.port > 65535)
        abort();
    if (!tenant_has_name(t, slice_of(t->server.host)) ||
        !config_has_name(c, slice_of(t->server.host)))
        abort();
    for (size_t i = 0; i < t->nheaders; i++)
        if (t->headers[i].name[0] == '\0' || strpbrk(t->headers[i].value, "\r\n") != NULL)
            abort();
    if (t->max_upstream < 1 || t->nplaces == 0)
        abort();
}

static void write_tenant(struct buf *out, const struct tenant *t)
{
    bool v6 = strchr(t->server.host, ':') != NULL;

    buf_addf(out, "[tenant %s]\ncompany-id=%s\nserver-as-is=yes\ncertificate=x\nserver=", t->name,
             t->company_id);
    buf_addf(out, "%s%s%s:%d\n", v6 ? "[" : "", t->server.host, v6 ? "]" : "", t->server.port);
    for (size_t i = 0; i < t->nheaders; i++)
        buf_addf(out, "header.%s=%s\n", t->headers[i].name, t->headers[i].value);
}

static void check_same(const struct tenant *a, const struct tenant *b)
{
    if (strcmp(a->name, b->name) != 0 || strcmp(a->company_id, b->company_id) != 0 ||
        strcmp(a->host_field, b->host_field) != 0 || a->nheaders != b->nheaders)
        abort();
    for (size_t i = 0; i < a->nheaders; i++)
        if (strcmp(a->headers[i].name, b->headers[i].name) != 0 ||
            strcmp(a->headers[i].value, b->headers[i].value) != 0)
            abort();
}

static enum status load_names(const char *path, struct config **out, struct diag *why)
{
    return config_load_names_from(&(struct config_sources){.file = path}, out, why);
}

static void check_config(struct config *c)
{
    struct buf text = {0};
    struct config *again = NULL;
    struct diag why;

    if (c->ntenants == 0 || c->nlistens == 0)
        abort();
    for (size_t i = 0; i < c->nnotes; i++)
        if (c->notes[i].sentence[0] == '\0')
            abort();
    for (size_t i = 0; i < c->ntenants; i++) {
        check_tenant(c, c->tenants[i]);
        write_tenant(&text, c->tenants[i]);
    }
    if (load_names(memory_file_set(&copy_file, buf_slice(&text)), &again, &why) != ST_OK ||
        again->ntenants != c->ntenants)
        abort();
    for (size_t i = 0; i < c->ntenants; i++)
        check_same(c->tenants[i], again->tenants[i]);
    config_unref(again);
    buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config *c = NULL;
    struct diag why = {""};
    const char *path = memory_file_set(&file, (struct slice){(const char *)data, size});

    if (load_names(path, &c, &why) == ST_OK) {
        check_config(c);
        config_unref(c);
    } else if (c != NULL || strncmp(why.text, path, strlen(path)) != 0 ||
               why.text[strlen(path)] != ':') {
        abort();
    }
    return 0;
}
