#include "tls/trust.h"

#include <dirent.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "base/file.h"
#include "base/mem.h"
#include "tls/error.h"

struct trust {
    atomic_int refs;
    char *path;
    X509_STORE *store;
};

static enum status add_certificates(X509_STORE *store, const char *path, BIO *in, struct diag *why)
{
    X509 *x;
    int count = 0;

    while ((x = PEM_read_bio_X509_AUX(in, NULL, NULL, NULL)) != NULL) {
        (void)X509_STORE_add_cert(store, x);
        X509_free(x);
        count++;
    }
    bool damaged = ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE;
    if (count > 0 && !damaged) {
        ERR_clear_error();
        return ST_OK;
    }
    if (damaged)
        diag_set(why, "%s: a certificate in it cannot be read (%s); export it again", path,
                 tls_error_text());
    else
        diag_set(why,
                 "%s: holds no PEM certificate; name a file of CA certificates that begins "
                 "with -----BEGIN CERTIFICATE-----",
                 path);
    ERR_clear_error();
    return ST_BAD_INPUT;
}

static enum status load_file(X509_STORE *store, const char *path, struct diag *why)
{
    struct buf text = {0};
    enum status st = file_read(path, &text, why);

    if (st != ST_OK)
        return st;
    BIO *in = BIO_new_mem_buf(text.p, (int)text.n);
    st = add_certificates(store, path, in, why);
    BIO_free(in);
    buf_free(&text);
    /* Whoever names a file trusts what is in it, an intermediate too. */
    (void)X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
    return st;
}

/* What OpenSSL would work out at the first use, and all threads share, is worked out now. */
static void settle(X509_STORE *store)
{
    const STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(store);

    for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
        X509 *x = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
        if (x != NULL)
            (void)X509_check_purpose(x, -1, 0);
    }
}

enum status trust_load(const char *path, struct trust **out, struct diag *why)
{
    struct trust *t = NEW(struct trust);
    enum status st = ST_OK;

    atomic_init(&t->refs, 1);
    t->path = mem_copy_string(path);
    t->store = X509_STORE_new();
    if (path != NULL) {
        st = load_file(t->store, path, why);
    } else if (X509_STORE_set_default_paths(t->store) != 1) {
        diag_set(why, "cannot load the system's CA certificates: %s", tls_error_text());
        st = ST_SYSTEM;
    }
    if (st != ST_OK) {
        trust_unref(t);
        return st;
    }
    settle(t->store);
    *out = t;
    return ST_OK;
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
    free(t->path);
    free(t);
}

/* Certificates of a folder are found by their hash: names that end in ".0" and so on. */
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
}

bool trust_is_from(const struct trust *t, const char *path)
{
    if (t->path == NULL || path == NULL)
        return t->path == path;
    return strcmp(t->path, path) == 0;
}

void trust_apply(const struct trust *t, SSL_CTX *context)
{
    SSL_CTX_set1_cert_store(context, t->store);
}
