#include <stdlib.h>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "base/file.h"
#include "base/mem.h"
#include "tls/credential_parts.h"
#include "tls/error.h"

enum status credential_new_key(enum key_type type, struct credential **out, struct diag *why)
{
    EVP_PKEY *key =
        type == KEY_EC ? EVP_EC_gen("P-256") : EVP_RSA_gen(type == KEY_RSA_2048 ? 2048 : 3072);

    if (key == NULL) {
        diag_set(why, "cannot make a private key: %s", tls_error_text());
        return ST_SYSTEM;
    }
    *out = credential_new();
    (*out)->key = key;
    return ST_OK;
}

struct credential *credential_share_key(const struct credential *c)
{
    struct credential *other = credential_new();

    (void)EVP_PKEY_up_ref(c->key);
    other->key = c->key;
    return other;
}

bool credential_put_public_key(const struct credential *c, X509 *certificate)
{
    return X509_set_pubkey(certificate, c->key) == 1;
}

enum status credential_certify(struct credential *c, const struct credential *signer,
                               X509 *certificate, struct diag *why)
{
    if (X509_sign(certificate, signer->key, EVP_sha256()) == 0) {
        X509_free(certificate);
        diag_set(why, "cannot sign a certificate: %s", tls_error_text());
        return ST_SYSTEM;
    }
    c->leaf = certificate;
    if (signer != c && !credential_is_self_issued(signer->leaf)) {
        (void)X509_up_ref(signer->leaf);
        (void)sk_X509_push(c->chain, signer->leaf);
        for (int i = 0; i < sk_X509_num(signer->chain); i++) {
            (void)X509_up_ref(sk_X509_value(signer->chain, i));
            (void)sk_X509_push(c->chain, sk_X509_value(signer->chain, i));
        }
    }
    credential_note_facts(c);
    return ST_OK;
}

/* ---- files ---- */

static bool write_public(const struct credential *c, BIO *out)
{
    bool ok = PEM_write_bio_X509(out, c->leaf) == 1;

    for (int i = 0; i < sk_X509_num(c->chain); i++)
        ok = ok && PEM_write_bio_X509(out, sk_X509_value(c->chain, i)) == 1;
    return ok;
}

static enum status save_bio(const char *path, BIO *bytes, bool ok, struct diag *why)
{
    char *p;
    long n = BIO_get_mem_data(bytes, &p);
    enum status st = ST_SYSTEM;

    if (ok)
        st = file_write_new(path, (struct slice){p, (size_t)n}, 0600, why);
    else
        diag_at(why, path, "cannot be encoded: %s", tls_error_text());
    BIO_free(bytes);
    return st;
}

void credential_write_public(const struct credential *c, struct buf *out)
{
    BIO *text = BIO_new(BIO_s_mem());
    char *p;

    if (write_public(c, text)) {
        long n = BIO_get_mem_data(text, &p);
        buf_add(out, p, (size_t)n);
    }
    BIO_free(text);
}

enum status credential_save_key(const struct credential *c, const char *path, struct diag *why)
{
    BIO *key = BIO_new(BIO_s_secmem());
    bool ok = PEM_write_bio_PKCS8PrivateKey(key, c->key, NULL, NULL, 0, NULL, NULL) == 1;

    return save_bio(path, key, ok, why);
}

enum status credential_save(const struct credential *c, const char *certificate_path,
                            const char *key_path, struct diag *why)
{
    BIO *certificates = BIO_new(BIO_s_mem());
    bool ok = write_public(c, certificates);
    enum status st = save_bio(certificate_path, certificates, ok, why);

    return st == ST_OK && key_path != NULL ? credential_save_key(c, key_path, why) : st;
}

/* ---- certificate requests ---- */

enum status credential_request(const struct credential *c, X509_REQ *request, struct buf *out,
                               struct diag *why)
{
    BIO *text = BIO_new(BIO_s_mem());
    bool ok = X509_REQ_set_pubkey(request, c->key) == 1 &&
              X509_REQ_sign(request, c->key, EVP_sha256()) > 0 &&
              PEM_write_bio_X509_REQ(text, request) == 1;
    char *p;
    long n = BIO_get_mem_data(text, &p);

    if (ok)
        buf_add(out, p, (size_t)n);
    else
        diag_set(why, "cannot make a certificate request: %s", tls_error_text());
    BIO_free(text);
    return ok ? ST_OK : ST_SYSTEM;
}
