#include "tls/local_ca.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tls/issue.h"
#include "tls/server.h"

enum {
    LEAF_DAYS = 30,
    /* A leaf is replaced before it ends, because connections may last and clocks may differ. */
    LEAF_USED_DAYS = 20,
    MAX_COMMON_NAME = 64,
};

struct local_ca {
    atomic_int refs;
    struct credential *root, *signer;
    /* The one key of all leaves. It never leaves the process. */
    struct credential *leaf_key;
    char **names;
    size_t nnames;
};

static char *join(const char *folder, const char *name)
{
    size_t n = strlen(folder);

    return mem_format("%s%s%s", folder, n > 0 && folder[n - 1] == '/' ? "" : "/", name);
}

static const char old_key[] = "intermediate.key";

char *local_ca_new_path(const char *folder, enum local_ca_file which)
{
    static const char *const names[] = {[LOCAL_CA_ROOT] = "root.pem",
                                        [LOCAL_CA_SIGNER] = "intermediate.pem",
                                        [LOCAL_CA_KEY] = "private/intermediate.key"};

    return join(folder, names[which]);
}

char *local_ca_path(const char *folder, enum local_ca_file which)
{
    char *path = local_ca_new_path(folder, which);

    if (which != LOCAL_CA_KEY || access(path, F_OK) == 0)
        return path;
    char *old = join(folder, old_key);
    bool is_old = access(old, F_OK) == 0;
    free(is_old ? path : old);
    return is_old ? old : path;
}

void local_ca_remove_old_key(const char *folder)
{
    char *path = join(folder, old_key);

    (void)unlink(path);
    free(path);
}

bool local_ca_is_in(const char *folder)
{
    bool found = false;

    for (int i = 0; i < LOCAL_CA_FILES; i++) {
        char *path = local_ca_path(folder, (enum local_ca_file)i);
        found = found || access(path, F_OK) == 0;
        free(path);
    }
    return found;
}

/* ---- loading ---- */

static enum status load_root(const char *folder, struct local_ca *ca, struct diag *why)
{
    char *path = local_ca_path(folder, LOCAL_CA_ROOT);
    const struct credential_files files = {.certificate = path};
    enum status st = credential_inspect(&files, &ca->root, why);

    free(path);
    return st;
}

static enum status load_signer(const char *folder, struct local_ca *ca, struct diag *why)
{
    char *certificate = local_ca_path(folder, LOCAL_CA_SIGNER);
    char *key = local_ca_path(folder, LOCAL_CA_KEY);
    const struct credential_files files = {.certificate = certificate, .private_key = key};
    enum credential_source source;
    enum status st = credential_load(&files, &ca->signer, &source, why);

    free(certificate);
    free(key);
    return st;
}

static enum status check_pair(const char *folder, const struct local_ca *ca, struct diag *why)
{
    X509 *root = (X509 *)(uintptr_t)credential_leaf(ca->root);
    X509 *signer = (X509 *)(uintptr_t)credential_leaf(ca->signer);

    if (X509_check_issued(root, signer) == X509_V_OK)
        return ST_OK;
    diag_at(why, folder,
            "the local CA's intermediate certificate is not the root's; make them again with "
            "`sfmtls ca init --replace`");
    return ST_MISMATCH;
}

static void add_name(struct local_ca *ca, const GENERAL_NAME *name)
{
    const ASN1_IA5STRING *text = name->type == GEN_DNS ? name->d.dNSName : NULL;

    if (text == NULL)
        return;
    ca->names = mem_grow(ca->names, (ca->nnames + 1) * sizeof(char *));
    ca->names[ca->nnames++] =
        mem_copy_bytes((const char *)ASN1_STRING_get0_data(text), (size_t)ASN1_STRING_length(text));
}

static enum status read_names(const char *folder, struct local_ca *ca, struct diag *why)
{
    NAME_CONSTRAINTS *nc =
        X509_get_ext_d2i(credential_leaf(ca->signer), NID_name_constraints, NULL, NULL);

    for (int i = 0; nc != NULL && i < sk_GENERAL_SUBTREE_num(nc->permittedSubtrees); i++)
        add_name(ca, sk_GENERAL_SUBTREE_value(nc->permittedSubtrees, i)->base);
    NAME_CONSTRAINTS_free(nc);
    if (ca->nnames > 0)
        return ST_OK;
    diag_at(why, folder,
            "the local CA's intermediate certificate is not confined to host names, so it is "
            "not used; make one with `sfmtls ca init --replace`");
    return ST_BAD_INPUT;
}

enum status local_ca_load(const char *folder, struct local_ca **out, struct diag *why)
{
    struct local_ca *ca = NEW(struct local_ca);

    atomic_init(&ca->refs, 1);
    enum status st = load_root(folder, ca, why);
    if (st == ST_OK)
        st = load_signer(folder, ca, why);
    if (st == ST_OK)
        st = check_pair(folder, ca, why);
    if (st == ST_OK)
        st = read_names(folder, ca, why);
    if (st == ST_OK)
        st = credential_new_key(KEY_EC, &ca->leaf_key, why);
    if (st == ST_OK)
        *out = ca;
    else
        local_ca_unref(ca);
    return st;
}

static struct local_ca *local_ca_ref(struct local_ca *ca)
{
    atomic_fetch_add_explicit(&ca->refs, 1, memory_order_relaxed);
    return ca;
}

void local_ca_unref(struct local_ca *ca)
{
    if (ca == NULL || atomic_fetch_sub_explicit(&ca->refs, 1, memory_order_acq_rel) > 1)
        return;
    credential_unref(ca->root);
    credential_unref(ca->signer);
    credential_unref(ca->leaf_key);
    for (size_t i = 0; i < ca->nnames; i++)
        free(ca->names[i]);
    free(ca->names);
    free(ca);
}

const struct credential *local_ca_root(const struct local_ca *ca)
{
    return ca->root;
}

int64_t local_ca_not_after(const struct local_ca *ca)
{
    return credential_not_after(ca->signer);
}

size_t local_ca_name_count(const struct local_ca *ca)
{
    return ca->nnames;
}

const char *local_ca_name(const struct local_ca *ca, size_t i)
{
    return ca->names[i];
}

/* The index of host among the names; nnames: it is not among them. */
static size_t find(const struct local_ca *ca, const char *host)
{
    size_t i = 0;

    while (i < ca->nnames && strcmp(ca->names[i], host) != 0)
        i++;
    return i;
}

bool local_ca_permits(const struct local_ca *ca, const char *host)
{
    return find(ca, host) < ca->nnames;
}

/* ---- leaves ---- */

struct leaf {
    SSL_CTX *context; /* NULL: not made yet */
    int64_t made;     /* seconds since 1970 */
};

struct local_leaves {
    struct local_ca *ca;
    struct leaf *leaves; /* one for each of the CA's names */
};

struct local_leaves *local_leaves_new(struct local_ca *ca)
{
    struct local_leaves *l = NEW(struct local_leaves);

    l->ca = local_ca_ref(ca);
    l->leaves = mem_new(ca->nnames * sizeof(l->leaves[0]));
    return l;
}

void local_leaves_free(struct local_leaves *l)
{
    if (l == NULL)
        return;
    for (size_t i = 0; i < l->ca->nnames; i++)
        SSL_CTX_free(l->leaves[i].context);
    free(l->leaves);
    local_ca_unref(l->ca);
    free(l);
}

/* If the clock was set back, the leaf may not be valid yet, so it is not used either. */
static bool is_fresh(const struct leaf *leaf, int64_t now)
{
    return leaf->context != NULL && now >= leaf->made &&
           now - leaf->made < (int64_t)LEAF_USED_DAYS * SECONDS_PER_DAY;
}

static enum status make(const struct local_ca *ca, const char *host, SSL_CTX **out,
                        struct diag *why)
{
    char *alt_names = mem_format("DNS:%s", host);
    const struct issue_spec spec = {.common_name =
                                        strlen(host) > MAX_COMMON_NAME ? "see names" : host,
                                    .organization = "sfmtls",
                                    .alt_names = alt_names,
                                    .for_server = true,
                                    .days = LEAF_DAYS,
                                    .latest = local_ca_not_after(ca)};
    struct credential *c = credential_share_key(ca->leaf_key);
    enum status st = issue_certificate(&spec, ca->signer, c, why);

    if (st == ST_OK)
        st = tls_server_open(c, out, why);
    credential_unref(c);
    free(alt_names);
    return st;
}

enum status local_leaves_take(struct local_leaves *l, const char *host, int64_t now, SSL_CTX **out,
                              struct diag *why)
{
    size_t i = find(l->ca, host);
    SSL_CTX *context;

    if (i == l->ca->nnames) {
        diag_set(why, "The local CA was not made for %s.", host);
        return ST_BAD_INPUT;
    }
    if (local_ca_not_after(l->ca) < now) {
        diag_set(why, "The local CA has expired.");
        return ST_BAD_INPUT;
    }
    struct leaf *leaf = &l->leaves[i];
    if (!is_fresh(leaf, now)) {
        enum status st = make(l->ca, host, &context, why);
        if (st != ST_OK)
            return st;
        SSL_CTX_free(leaf->context);
        *leaf = (struct leaf){context, now};
    }
    (void)SSL_CTX_up_ref(leaf->context);
    *out = leaf->context;
    return ST_OK;
}
