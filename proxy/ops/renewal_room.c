#include "ops/renewal_room.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/x509.h>

#include "ops/btp_way.h"
#include "ops/landlock.h"
#include "ops/sandbox.h"
#include "ops/syscalls.h"

/* Links are followed now. The process lives for one look only, so the next look finds a file that
 * has replaced one of these. /etc as a whole is not allowed, because keys of other tenants may be
 * there. */
static const char *const places[] = {
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/host.conf",
    "/etc/services",
    "/etc/localtime",
    "/etc/ld.so.cache",
    "/etc/ssl/certs",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/certs",
    "/etc/pki/ca-trust",
    "/etc/ca-certificates",
    "/etc/crypto-policies",
    "/usr/lib",
    "/usr/lib64",
    "/usr/share/ca-certificates",
    "/usr/share/zoneinfo",
    "/usr/local/share/ca-certificates",
    "/lib",
    "/lib64",
    "/run/systemd/resolve",
    "/dev/null",
    "/dev/random",
    "/dev/urandom",
    "/sys/devices/system/cpu",
};

static const char *const kerberos[] = {"/etc/krb5.conf", "/etc/krb5.conf.d", "/etc/gss"};

static void allow(struct landlock *l, const char *path, unsigned access)
{
    if (path != NULL)
        landlock_allow(l, path, access);
}

static void allow_proxy(struct landlock *l, const struct parent_options *o)
{
    char *tickets;

    if (o->proxy == NULL)
        return;
    allow(l, o->password_file, LANDLOCK_READ);
    if (btp_way_wants_tickets(o, &tickets)) {
        for (size_t k = 0; k < ARRAY_LEN(kerberos); k++)
            allow(l, kerberos[k], LANDLOCK_READ | LANDLOCK_LIST);
        allow(l, getenv("KRB5_CONFIG"), LANDLOCK_READ);
        allow(l, tickets, LANDLOCK_READ | LANDLOCK_LIST);
    }
    free(tickets);
}

static void allow_all(struct landlock *l, const struct config *c, const struct tenant *t)
{
    const struct identity *i = &t->identities[IDENTITY_CURRENT];

    for (size_t k = 0; k < ARRAY_LEN(places); k++)
        allow(l, places[k], LANDLOCK_READ | LANDLOCK_LIST);
    allow(l, getenv(X509_get_default_cert_file_env()), LANDLOCK_READ);
    allow(l, getenv(X509_get_default_cert_dir_env()), LANDLOCK_READ | LANDLOCK_LIST);
    allow(l, c->file, LANDLOCK_READ);
    allow(l, t->fetch.service_key_file, LANDLOCK_READ);
    allow(l, i->passphrase_file, LANDLOCK_READ);
    if (i->passphrase_credential != NULL)
        allow(l, getenv("CREDENTIALS_DIRECTORY"), LANDLOCK_READ);
    allow_proxy(l, btp_way_options(c, t));
    allow(l, t->fetch.store, LANDLOCK_READ | LANDLOCK_LIST | LANDLOCK_STORE);
}

static bool is_wanted(const struct tenant *t, const char *variable)
{
    const char *own = t->identities[IDENTITY_CURRENT].passphrase_env;

    return own != NULL && strcmp(own, variable) == 0;
}

/* Overwrites the passphrases of other tenants in this process's copy of the environment. */
static void forget_passphrases(const struct config *c, const struct tenant *t)
{
    for (size_t i = 0; i < c->ntenants; i++) {
        for (int k = 0; k < IDENTITIES; k++) {
            const char *variable = c->tenants[i]->identities[k].passphrase_env;
            char *value = variable == NULL || is_wanted(t, variable) ? NULL : getenv(variable);
            if (value != NULL)
                explicit_bzero(value, strlen(value));
        }
    }
}

void renewal_room_enter(const struct config *c, const struct tenant *t)
{
    struct diag ignored; /* the process that serves has reported it */

    forget_passphrases(c, t);
    if (!c->sandbox || sandbox_is_impossible())
        return;
    struct landlock *l = landlock_new(&ignored);
    if (l != NULL) {
        allow_all(l, c, t);
        (void)!landlock_enter(l, &ignored);
        landlock_free(l);
    }
    (void)!syscalls_restrict_to(SYSCALLS_OF_FETCHING, &ignored);
}
