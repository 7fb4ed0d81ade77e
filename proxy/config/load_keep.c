/* Which certificate takes the place of one that cannot be presented: at a reload the one in use,
 * for `sfmtls check` the one that was just fetched. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "config/load_parts.h"

/* Not only the name has to be the same: another company may not have registered the certificate,
 * and another server must not see it. */
static const struct tenant *find_account(const struct config *c, const struct tenant *t)
{
    for (size_t i = 0; i < c->ntenants; i++)
        if (tenant_is_same_account(c->tenants[i], t))
            return c->tenants[i];
    return NULL;
}

/* rejected: the certificate in the file; kept: the one that stays in use. */
static void note_keeping(struct config *c, const struct tenant *t, int i,
                         const struct credential *rejected, const struct credential *kept,
                         int64_t now)
{
    bool early = credential_not_before(rejected) > now;
    char when[CLOCK_TEXT_SIZE], until[CLOCK_TEXT_SIZE];

    clock_text_s(early ? credential_not_before(rejected) : credential_not_after(rejected), when);
    clock_text_s(credential_not_after(kept), until);
    load_note(
        c, early ? LOG_WARNING : LOG_ERROR,
        mem_format("tenant %s: the %s of %s %s %.10s, so the one that was loaded before stays "
                   "in use (%s, valid until %.10s); %s",
                   t->name, identity_title(i), t->identities[i].certificate,
                   early ? "is not valid before" : "has expired on", when, credential_subject(kept),
                   until,
                   early ? "it is taken then, or check the clock of this machine"
                         : "have it renewed, and put the renewed one there"));
    load_look_again(c, credential_not_after(kept) + 1);
    if (early)
        load_look_again(c, credential_not_before(rejected));
}

static void present(struct tenant *t, int i, struct credential *kept, struct tls_client *tls)
{
    struct identity *id = &t->identities[i];

    tls_client_unref(id->tls);
    credential_unref(id->credential);
    id->tls = tls;
    id->credential = credential_ref(kept);
    load_write_pool_key(t);
}

/* The file in certificate-store is missing or damaged, so the certificate in use stays. */
static void keep_fetched(struct config *c, struct tenant *t, const struct tenant *before,
                         int64_t now)
{
    struct credential *kept = before->identities[IDENTITY_CURRENT].credential;
    struct tls_client *tls;
    struct diag ignored; /* it cannot fail: it worked before */

    if (kept == NULL || !tenant_fetches(before) || !credential_is_valid(kept, now) ||
        tls_client_new(kept, t->trust, t->server.host, &tls, &ignored) != ST_OK)
        return;
    load_note(c, LOG_WARNING,
              mem_format("tenant %s: the certificate that was loaded before stays in use (%s)",
                         t->name, credential_subject(kept)));
    load_look_again(c, credential_not_after(kept) + 1);
    present(t, IDENTITY_CURRENT, kept, tls);
}

static void keep(struct config *c, struct tenant *t, const struct tenant *before, int i,
                 int64_t now)
{
    struct identity *id = &t->identities[i];
    struct credential *kept = before->identities[i].credential;
    struct tls_client *tls;
    struct diag ignored; /* it cannot fail: it worked before */

    if (!tenant_has_identity(t, i) && tenant_fetches(t) && i == IDENTITY_CURRENT) {
        keep_fetched(c, t, before, now);
        return;
    }
    if (!tenant_has_identity(t, i) || credential_is_valid(id->credential, now) ||
        !tenant_has_identity(before, i) || !credential_is_valid(kept, now) ||
        tls_client_new(kept, t->trust, t->server.host, &tls, &ignored) != ST_OK)
        return;
    note_keeping(c, t, i, id->credential, kept, now);
    present(t, i, kept, tls);
}

void config_keep_identities(struct config *c, const struct config *in_use)
{
    int64_t now = clock_wall_s();

    for (size_t n = 0; n < c->ntenants; n++) {
        const struct tenant *before = find_account(in_use, c->tenants[n]);
        for (int i = 0; before != NULL && i < IDENTITIES; i++)
            keep(c, c->tenants[n], before, i, now);
    }
}

void config_present_fetched(struct tenant *t, const char *path)
{
    struct identity *i = &t->identities[IDENTITY_CURRENT];
    const struct credential_files files = {.certificate = path,
                                           .private_key = i->private_key,
                                           .passphrase_file = i->passphrase_file,
                                           .passphrase_env = i->passphrase_env,
                                           .passphrase_credential = i->passphrase_credential,
                                           .allow_readable_key = t->allow_readable_key};
    enum credential_source source;
    struct credential *fetched = NULL;
    struct tls_client *tls;
    struct diag why;
    enum status st = credential_load(&files, &fetched, &source, &why);

    if (st == ST_OK)
        st = tls_client_new(fetched, t->trust, t->server.host, &tls, &why);
    free(i->flaw);
    i->flaw = st == ST_OK ? NULL : mem_copy_string(why.text);
    i->flaw_status = st;
    if (st == ST_OK)
        present(t, IDENTITY_CURRENT, fetched, tls);
    credential_unref(fetched);
}
