#include "tls/trust.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>

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
