#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/load_parts.h"

enum { SOURCES = CREDENTIAL_PASSPHRASE_CREDENTIAL + 1 };

static const char *const source_keys[IDENTITIES][SOURCES] = {
    [IDENTITY_CURRENT] =
        {
            [CREDENTIAL_CERTIFICATE] = "certificate",
            [CREDENTIAL_PRIVATE_KEY] = "private-key",
            [CREDENTIAL_PASSPHRASE_FILE] = "passphrase-file",
            [CREDENTIAL_PASSPHRASE_ENV] = "passphrase-env",
            [CREDENTIAL_PASSPHRASE_CREDENTIAL] = "passphrase-credential",
        },
    [IDENTITY_NEXT] =
        {
            [CREDENTIAL_CERTIFICATE] = "certificate-next",
            [CREDENTIAL_PRIVATE_KEY] = "private-key-next",
            [CREDENTIAL_PASSPHRASE_FILE] = "passphrase-file-next",
            [CREDENTIAL_PASSPHRASE_ENV] = "passphrase-env-next",
            [CREDENTIAL_PASSPHRASE_CREDENTIAL] = "passphrase-credential-next",
        },
};

const char *identity_title(int i)
{
    return source_keys[i][CREDENTIAL_CERTIFICATE];
}

static enum status check_passphrases(const struct loader *l, int identity, struct diag *why)
{
    const char *first = NULL;

    for (size_t i = CREDENTIAL_PASSPHRASE_FILE; i < SOURCES; i++) {
        const char *key = source_keys[identity][i];
        if (tenant_where(l->tenant, key) == NULL)
            continue;
        if (first != NULL) {
            diag_at(why, tenant_where(l->tenant, key), "%s and %s are both set; keep one of them",
                    first, key);
            return ST_BAD_INPUT;
        }
        first = key;
    }
    return ST_OK;
}

/* A key or passphrase without a certificate means that the certificate was forgotten. */
static enum status check_alone(const struct loader *l, int identity, struct diag *why)
{
    for (size_t i = CREDENTIAL_PRIVATE_KEY; i < SOURCES; i++) {
        const char *key = source_keys[identity][i];
        if (tenant_where(l->tenant, key) == NULL)
            continue;
        diag_at(why, tenant_where(l->tenant, key),
                "`%s` is set without `%s`; add that line, or take this one out", key,
                identity_title(identity));
        return ST_BAD_INPUT;
    }
    return ST_OK;
}

/* Findings about dates are left out: the serving process reports them, because they change while it
 * runs. An issuer that is a root in our trust needs no note: roots are not sent, and the server has
 * them. */
static bool is_noted(const struct tenant *t, const struct credential *c, const struct finding *f)
{
    return f->about != ABOUT_DATES &&
           !(f->about_issuer && trust_has_root_of(t->trust, credential_top(c)));
}

static void note_findings(struct loader *l, int identity)
{
    static const enum log_level levels[] = {
        [FINDING_NOTE] = LOG_NOTICE, [FINDING_WARNING] = LOG_WARNING, [FINDING_ERROR] = LOG_ERROR};
    const struct tenant *t = l->tenant;
    size_t count;
    const struct credential *c = t->identities[identity].credential;
    const struct finding *findings = credential_findings(c, &count);

    for (size_t i = 0; i < count; i++)
        if (is_noted(t, c, &findings[i]))
            load_note(l->config, levels[findings[i].level],
                      mem_format("tenant %s: %s%s%s", t->name,
                                 identity == IDENTITY_CURRENT ? "" : identity_title(identity),
                                 identity == IDENTITY_CURRENT ? "" : ": ", findings[i].sentence));
}

static void warn_about_readable_passphrase(const struct loader *l, const char *path,
                                           const char *key)
{
    if (path != NULL && load_is_open_to_others(path))
        load_note(
            l->config, LOG_WARNING,
            mem_format("%s: %s: every user of this machine may read the passphrase; chmod o-r "
                       "%s",
                       tenant_where(l->tenant, key), path, path));
}

/* If flaws are kept (config_load_flawed()), a certificate that cannot be loaded is not an error. */
static enum status keep_flaw(const struct loader *l, struct identity *i, enum status st,
                             const struct diag *why)
{
    if (!l->keeps_flaws)
        return st;
    i->flaw = mem_copy_string(why->text);
    i->flaw_status = st;
    return ST_OK;
}

/* The certificate will be fetched, or fetched again; the tenant waits for it. */
static void keep_unfetched(const struct loader *l, int identity, const struct diag *why)
{
    struct identity *i = &l->tenant->identities[identity];
    bool absent = access(i->certificate, F_OK) != 0;

    if (absent && identity == IDENTITY_NEXT) {
        free(i->certificate);
        i->certificate = NULL;
        return;
    }
    i->flaw = absent ? mem_format("%s holds no certificate yet", l->tenant->fetch.store)
                     : mem_copy_string(why->text);
    i->flaw_status = ST_BAD_INPUT;
    load_note(l->config, absent ? LOG_NOTICE : LOG_WARNING,
              mem_format("tenant %s: %s; it is fetched from BTP", l->tenant->name, i->flaw));
}

static enum status load_identity(struct loader *l, int identity, struct diag *why)
{
    struct identity *i = &l->tenant->identities[identity];
    struct credential_files files = {.certificate = i->certificate,
                                     .private_key = i->private_key,
                                     .passphrase_file = i->passphrase_file,
                                     .passphrase_env = i->passphrase_env,
                                     .passphrase_credential = i->passphrase_credential,
                                     .allow_readable_key = l->tenant->allow_readable_key,
                                     .ask = l->ask,
                                     .ask_ctx = l->ask_ctx};
    enum credential_source source = CREDENTIAL_CERTIFICATE;
    enum status st = check_passphrases(l, identity, why);

    if (st != ST_OK)
        return st;
    st = credential_load(&files, &i->credential, &source, why);
    if (st == ST_OK) {
        note_findings(l, identity);
        load_look_again(l->config, credential_look_again(i->credential));
    } else if (tenant_fetches(l->tenant)) {
        keep_unfetched(l, identity, why);
        st = ST_OK;
    } else {
        diag_place(why, tenant_where(l->tenant, source_keys[identity][source]));
        st = keep_flaw(l, i, st, why);
    }
    warn_about_readable_passphrase(l, i->passphrase_file,
                                   source_keys[identity][CREDENTIAL_PASSPHRASE_FILE]);
    return st;
}

static void warn_about_sameness(const struct loader *l)
{
    const struct tenant *t = l->tenant;

    if (tenant_has_identity(t, IDENTITY_CURRENT) && tenant_has_identity(t, IDENTITY_NEXT) &&
        memcmp(credential_fingerprint(t->identities[IDENTITY_CURRENT].credential),
               credential_fingerprint(t->identities[IDENTITY_NEXT].credential),
               CREDENTIAL_FINGERPRINT_SIZE) == 0)
        load_note(l->config, LOG_WARNING,
                  mem_format("%s: certificate-next is the same as certificate; name the new one, "
                             "or take the line out",
                             tenant_where(l->tenant, identity_title(IDENTITY_NEXT))));
}

enum status load_identities(struct loader *l, struct diag *why)
{
    enum status st = ST_OK;

    for (int i = 0; st == ST_OK && i < IDENTITIES; i++)
        st = l->tenant->identities[i].certificate == NULL ? check_alone(l, i, why)
                                                          : load_identity(l, i, why);
    if (st == ST_OK)
        warn_about_sameness(l);
    return st;
}

enum status load_tls_clients(struct loader *l, struct diag *why)
{
    struct tenant *t = l->tenant;

    for (int i = 0; i < IDENTITIES; i++) {
        struct identity *id = &t->identities[i];
        if (!tenant_has_identity(t, i))
            continue;
        enum status st = tls_client_new(id->credential, t->trust, t->server.host, &id->tls, why);
        if (st != ST_OK) {
            diag_place(why, tenant_where(l->tenant, identity_title(i)));
            return st;
        }
    }
    return ST_OK;
}
