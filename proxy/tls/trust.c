#include "tls/trust.h"

#include <dirent.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "tls/crl.h"
#include "tls/error.h"

enum { LISTS_MAX = 64 * 1024 * 1024 }; /* public CAs have long lists */

struct trust {
    atomic_int refs;
    char *path, *crl_path;
    X509_STORE *store;
    STACK_OF(X509_CRL) * lists;
    struct finding *findings;
    size_t nfindings;
};

/* ---- files ---- */

static enum status read_file(const char *path, STACK_OF(X509) * certificates,
                             STACK_OF(X509_CRL) * lists, struct diag *why)
{
    struct buf text = {0};
    enum status st = file_read_up_to(path, LISTS_MAX, &text, why);

    if (st == ST_OK)
        st = credential_read_public(path, buf_slice(&text), certificates, lists, why);
    file_wipe(&text); /* it may contain a key */
    return st;
}

static enum status load_certificates(struct trust *t, STACK_OF(X509) * certificates,
                                     struct diag *why)
{
    enum status st = read_file(t->path, certificates, t->lists, why);

    if (st == ST_OK && sk_X509_num(certificates) == 0) {
        diag_at(why, t->path,
                "holds no PEM certificate; name a file of CA certificates that begins "
                "with -----BEGIN CERTIFICATE-----");
        st = ST_BAD_INPUT;
    }
    for (int i = 0; st == ST_OK && i < sk_X509_num(certificates); i++)
        (void)X509_STORE_add_cert(t->store, sk_X509_value(certificates, i));
    /* Every certificate in the file is trusted, also an intermediate. */
    (void)X509_STORE_set_flags(t->store, X509_V_FLAG_PARTIAL_CHAIN);
    return st;
}

/* Certificates in this file are not trusted. */
static enum status load_lists(struct trust *t, struct diag *why)
{
    STACK_OF(X509) *ignored = sk_X509_new_null();
    int before = sk_X509_CRL_num(t->lists);
    enum status st = read_file(t->crl_path, ignored, t->lists, why);

    if (st == ST_OK && sk_X509_CRL_num(t->lists) == before) {
        diag_at(why, t->crl_path,
                "holds no CRL; name a file that begins with -----BEGIN X509 CRL-----, or the "
                "same in DER");
        st = ST_BAD_INPUT;
    }
    sk_X509_pop_free(ignored, X509_free);
    return st;
}

/* ---- revocation ---- */

static void judge_lists(struct trust *t)
{
    int64_t now = clock_wall_s();

    for (int i = 0; i < sk_X509_CRL_num(t->lists); i++) {
        enum finding_level level;
        char *text = crl_judge(sk_X509_CRL_value(t->lists, i), t->lists, now, &level);
        if (text == NULL)
            continue;
        t->findings = mem_grow(t->findings, (t->nfindings + 1) * sizeof(t->findings[0]));
        t->findings[t->nfindings++] = (struct finding){level, true, text};
    }
}

/* Checks the server's own certificate, not the CAs above it. */
static void use_lists(struct trust *t)
{
    for (int i = 0; i < sk_X509_CRL_num(t->lists); i++)
        (void)X509_STORE_add_crl(t->store, sk_X509_CRL_value(t->lists, i));
    /* Without the second flag OpenSSL would take a delta list for a full one, and would ignore
     * lists for only some reasons. */
    if (sk_X509_CRL_num(t->lists) > 0)
        (void)X509_STORE_set_flags(t->store, X509_V_FLAG_CRL_CHECK |
                                                 X509_V_FLAG_EXTENDED_CRL_SUPPORT |
                                                 X509_V_FLAG_USE_DELTAS);
}

/* OpenSSL computes some things at first use: facts of certificates, the order of lists. This is
 * done now, because threads share the objects later. */
static void settle(const struct trust *t)
{
    const STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(t->store);
    ASN1_INTEGER *zero = ASN1_INTEGER_new();
    X509_REVOKED *ignored;

    for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
        X509 *x = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
        if (x != NULL)
            (void)X509_check_purpose(x, -1, 0);
    }
    for (int i = 0; i < sk_X509_CRL_num(t->lists); i++)
        (void)X509_CRL_get0_by_serial(sk_X509_CRL_value(t->lists, i), &ignored, zero);
    ASN1_INTEGER_free(zero);
}

/* ---- the whole ---- */

static enum status load(struct trust *t, bool *lists_at_fault, struct diag *why)
{
    STACK_OF(X509) *certificates = sk_X509_new_null();
    enum status st = ST_OK;

    *lists_at_fault = false;
    if (t->path != NULL) {
        st = load_certificates(t, certificates, why);
    } else if (X509_STORE_set_default_paths(t->store) != 1) {
        diag_set(why, "cannot load the system's CA certificates: %s", tls_error_text());
        st = ST_SYSTEM;
    }
    if (st == ST_OK && t->crl_path != NULL) {
        *lists_at_fault = true;
        st = load_lists(t, why);
    }
    if (st == ST_OK)
        st = crl_check_signatures(t->crl_path == NULL ? t->path : t->crl_path, t->lists,
                                  certificates, why);
    sk_X509_pop_free(certificates, X509_free);
    return st;
}

enum status trust_load(const char *path, const char *crl_path, struct trust **out,
                       bool *lists_at_fault, struct diag *why)
{
    struct trust *t = NEW(struct trust);

    atomic_init(&t->refs, 1);
    t->path = mem_copy_string(path);
    t->crl_path = mem_copy_string(crl_path);
    t->store = X509_STORE_new();
    t->lists = sk_X509_CRL_new_null();
    enum status st = load(t, lists_at_fault, why);
    if (st != ST_OK) {
        trust_unref(t);
        return st;
    }
    judge_lists(t);
    use_lists(t);
    settle(t);
    *out = t;
    return ST_OK;
}

const struct finding *trust_findings(const struct trust *t, size_t *count)
{
    *count = t->nfindings;
    return t->findings;
}

struct trust *trust_ref(struct trust *t)
{
    atomic_fetch_add_explicit(&t->refs, 1, memory_order_relaxed);
    return t;
}

void trust_unref(struct trust *t)
{
    if (t == NULL || atomic_fetch_sub_explicit(&t->refs, 1, memory_order_acq_rel) > 1)
        return;
    X509_STORE_free(t->store);
    sk_X509_CRL_pop_free(t->lists, X509_CRL_free);
    for (size_t i = 0; i < t->nfindings; i++)
        free(t->findings[i].sentence);
    free(t->findings);
    free(t->path);
    free(t->crl_path);
    free(t);
}

bool trust_has_root_of(const struct trust *t, const X509 *x)
{
    X509_STORE_CTX *search = X509_STORE_CTX_new();
    X509 *issuer = NULL;

    if (search == NULL || X509_STORE_CTX_init(search, t->store, NULL, NULL) != 1)
        abort(); /* no memory: see mem.h */
    /* OpenSSL's declaration lacks a const. */
    bool found = X509_STORE_CTX_get1_issuer(&issuer, search, (X509 *)(uintptr_t)x) == 1 &&
                 X509_NAME_cmp(X509_get_subject_name(issuer), X509_get_issuer_name(issuer)) == 0;
    X509_free(issuer);
    X509_STORE_CTX_free(search);
    ERR_clear_error();
    return found;
}

/* OpenSSL finds certificates in a folder by their hash: file names that end with ".0" and so on. */
static bool has_hashed_files(const char *folder)
{
    DIR *d = opendir(folder);
    const struct dirent *e = NULL;

    while (d != NULL && (e = readdir(d)) != NULL)
        if (strlen(e->d_name) == 10 && e->d_name[8] == '.')
            break;
    if (d != NULL)
        (void)closedir(d);
    return e != NULL;
}

bool trust_is_empty(const struct trust *t)
{
    const char *given = getenv(X509_get_default_cert_dir_env());
    struct slice rest = slice_of(given != NULL ? given : X509_get_default_cert_dir());
    bool found = sk_X509_OBJECT_num(X509_STORE_get0_objects(t->store)) > 0;

    while (!found && rest.n > 0) {
        struct slice item = slice_split(&rest, ':');
        char *folder = mem_copy_bytes(item.p, item.n);
        found = has_hashed_files(folder);
        free(folder);
    }
    return !found;
}

void trust_digest(const struct trust *t, struct buf *out)
{
    const STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(t->store);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    buf_add_string(out, t->path == NULL ? "system" : "file");
    for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
        const X509 *x = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
        if (x != NULL && X509_digest(x, EVP_sha256(), digest, &n) == 1)
            buf_add(out, (const char *)digest, n);
    }
    for (int i = 0; i < sk_X509_CRL_num(t->lists); i++)
        if (X509_CRL_digest(sk_X509_CRL_value(t->lists, i), EVP_sha256(), digest, &n) == 1)
            buf_add(out, (const char *)digest, n);
}

static bool is_same_path(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool trust_is_from(const struct trust *t, const char *path, const char *crl_path)
{
    return is_same_path(t->path, path) && is_same_path(t->crl_path, crl_path);
}

void trust_apply(const struct trust *t, SSL_CTX *context)
{
    SSL_CTX_set1_cert_store(context, t->store);
}

const char *trust_path(const struct trust *t)
{
    return t->path;
}
