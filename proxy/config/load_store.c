/* Certificates that are fetched from BTP: their options, and the files in their folder. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/path_guard.h"
#include "config/load_parts.h"

char *config_store_path(const struct tenant *t, int identity)
{
    return mem_format("%s/%s.pem", t->fetch.store, identity_title(identity));
}

static enum status refuse(const struct loader *l, const char *key, const char *flaw,
                          struct diag *why)
{
    const char *where = tenant_where(l->tenant, key);

    diag_at(why, where == NULL ? tenant_where(l->tenant, "certificate-source") : where, "`%s` %s",
            key, flaw);
    return ST_BAD_INPUT;
}

/* These options need each other. */
static enum status check_together(const struct loader *l, struct diag *why)
{
    static const char *const own[] = {"service-key-file", "certificate-name", "certificate-store"};
    static const char unused[] = "has no effect without certificate-source = destination-service; "
                                 "add that line, or take this one out";
    static const char *const excluded[] = {"certificate", "certificate-next"};
    bool fetches = tenant_fetches(l->tenant);

    for (size_t i = 0; i < ARRAY_LEN(own); i++) {
        bool is_set = tenant_where(l->tenant, own[i]) != NULL;
        if (fetches && !is_set)
            return refuse(l, own[i],
                          "is missing, which certificate-source = destination-service needs; add "
                          "that line",
                          why);
        if (!fetches && is_set)
            return refuse(l, own[i], unused, why);
    }
    if (!fetches && l->tenant->fetch.level != 0)
        return refuse(l, "certificate-level", unused, why);
    for (size_t i = 0; fetches && i < ARRAY_LEN(excluded); i++)
        if (tenant_where(l->tenant, excluded[i]) != NULL)
            return refuse(l, excluded[i],
                          "is set, but certificate-source = destination-service fetches it; take "
                          "one of the two lines out",
                          why);
    return ST_OK;
}

/* The folder contains private keys. */
static enum status check_folder(const struct loader *l, struct diag *why)
{
    const char *folder = l->tenant->fetch.store,
               *where = tenant_where(l->tenant, "certificate-store");
    struct stat st;

    if (stat(folder, &st) != 0 || !S_ISDIR(st.st_mode))
        diag_at(why, where,
                "certificate-store: %s is not a folder; make it for the user of "
                "sfmtls: mkdir -m 0700 %s",
                folder, folder);
    else if ((st.st_mode & 077) != 0)
        diag_at(why, where,
                "certificate-store: other users may look into %s, where a private key is kept; "
                "chmod 0700 %s",
                folder, folder);
    else
        return ST_OK;
    return ST_BAD_INPUT;
}

/* A separate key, and the passphrase, are the same for both identities. */
static void name_files(struct loader *l)
{
    struct tenant *t = l->tenant;
    struct identity *first = &t->identities[IDENTITY_CURRENT],
                    *next = &t->identities[IDENTITY_NEXT];

    for (int i = 0; i < IDENTITIES; i++) {
        t->identities[i].certificate = config_store_path(t, i);
        load_name_file(l->config, FILE_READ, "certificate-store", t->identities[i].certificate,
                       tenant_where(t, "certificate-store"));
    }
    next->private_key = mem_copy_string(first->private_key);
    next->passphrase_file = mem_copy_string(first->passphrase_file);
    next->passphrase_env = mem_copy_string(first->passphrase_env);
    next->passphrase_credential = mem_copy_string(first->passphrase_credential);
}

enum status load_store(struct loader *l, struct diag *why)
{
    enum status st = check_together(l, why);

    if (st != ST_OK || !tenant_fetches(l->tenant))
        return st;
    st = check_folder(l, why);
    if (st == ST_OK)
        name_files(l);
    return st;
}

static enum status refuse_same(const struct tenant *t, const char *other, struct diag *why)
{
    diag_at(why, tenant_where(t, "certificate-store"),
            "tenant %s has the same certificate-store; make a folder for each", other);
    return ST_BAD_INPUT;
}

static enum status refuse_shared(const struct tenant *t, const char *path, struct diag *why)
{
    diag_at(why, tenant_where(t, "certificate-store"),
            "%s is in certificate-store, too, where the process that fetches could read and change "
            "it; make a folder for certificates alone",
            path);
    return ST_BAD_INPUT;
}

static bool is_own(const struct tenant *t, const char *path)
{
    bool own = false;

    for (int i = 0; i < IDENTITIES; i++) {
        char *its = config_store_path(t, i);
        own = own || strcmp(path, its) == 0;
        free(its);
    }
    return own;
}

/* The process that fetches may read and change everything in the folder. */
static enum status check_alone(const struct config *c, const struct tenant *t, struct diag *why)
{
    for (size_t i = 0; i < c->ntenants; i++) {
        const struct tenant *o = c->tenants[i];
        if (o == t || !tenant_fetches(o))
            continue;
        if (path_is_same(o->fetch.store, t->fetch.store))
            return refuse_same(t, o->name, why);
        if (path_is_within(o->fetch.store, t->fetch.store))
            return refuse_shared(t, o->fetch.store, why);
    }
    for (size_t i = 0; i < c->nfiles; i++)
        if (!is_own(t, c->files[i].path) && path_is_within(c->files[i].path, t->fetch.store))
            return refuse_shared(t, c->files[i].path, why);
    return ST_OK;
}

enum status load_check_stores(const struct loader *l, struct diag *why)
{
    const struct config *c = l->config;

    for (size_t i = c->ntenants; i-- > 0;)
        if (tenant_fetches(c->tenants[i]) && check_alone(c, c->tenants[i], why) != ST_OK)
            return ST_BAD_INPUT;
    return ST_OK;
}
