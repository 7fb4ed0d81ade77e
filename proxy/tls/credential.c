#include "tls/credential.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/file.h"
#include "base/mem.h"
#include "tls/error.h"

struct credential {
    atomic_int refs;
    EVP_PKEY *key;
    X509 *leaf;
    STACK_OF(X509) * chain; /* from the leaf's issuer upward, without a root */
    unsigned char fingerprint[CREDENTIAL_FINGERPRINT_SIZE];
    char *subject;
    int64_t not_before, not_after;
};

/* What a PEM file held. */
struct parts {
    STACK_OF(X509) * certificates;
    EVP_PKEY *key;
};

static struct credential *credential_new(void)
{
    struct credential *c = NEW(struct credential);

    atomic_init(&c->refs, 1);
    c->chain = sk_X509_new_null();
    return c;
}

struct credential *credential_ref(struct credential *c)
{
    atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

void credential_unref(struct credential *c)
{
    if (c == NULL || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) > 1)
        return;
    EVP_PKEY_free(c->key);
    X509_free(c->leaf);
    sk_X509_pop_free(c->chain, X509_free);
    free(c->subject);
    free(c);
}

static void parts_free(struct parts *p)
{
    EVP_PKEY_free(p->key);
    sk_X509_pop_free(p->certificates, X509_free);
}

/* A passphrase of length 0 is one; p NULL is none. */
static enum status read_passphrase(const struct credential_files *files, struct buf *out,
                                   enum credential_source *source, struct diag *why)
{
    if (files->passphrase_file != NULL) {
        *source = CREDENTIAL_PASSPHRASE_FILE;
        enum status st = file_read(files->passphrase_file, out, why);
        if (st != ST_OK)
            return st;
        if (out->n > 0 && out->p[out->n - 1] == '\n') {
            out->n--;
            if (out->n > 0 && out->p[out->n - 1] == '\r')
                out->n--;
        }
    } else if (files->passphrase_env != NULL) {
        *source = CREDENTIAL_PASSPHRASE_ENV;
        const char *value = getenv(files->passphrase_env);
        if (value == NULL) {
            diag_set(why, "the environment variable %s is not set; set it to the key's passphrase",
                     files->passphrase_env);
            return ST_BAD_INPUT;
        }
        buf_add_string(out, value);
    }
    return ST_OK;
}

static int give_passphrase(char *out, int size, int writing, void *passphrase)
{
    const struct buf *b = passphrase;

    (void)writing;
    if (b->p == NULL || b->n > (size_t)size)
        return -1;
    memcpy(out, b->p, b->n);
    return (int)b->n;
}

static EVP_PKEY *read_pkcs8(const unsigned char *der, long n)
{
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &der, n);
    EVP_PKEY *key = info == NULL ? NULL : EVP_PKCS82PKEY(info);

    PKCS8_PRIV_KEY_INFO_free(info);
    return key;
}

static EVP_PKEY *read_encrypted_pkcs8(const unsigned char *der, long n,
                                      const struct buf *passphrase)
{
    X509_SIG *sealed = d2i_X509_SIG(NULL, &der, n);
    PKCS8_PRIV_KEY_INFO *info =
        sealed == NULL ? NULL : PKCS8_decrypt(sealed, passphrase->p, (int)passphrase->n);
    EVP_PKEY *key = info == NULL ? NULL : EVP_PKCS82PKEY(info);

    PKCS8_PRIV_KEY_INFO_free(info);
    X509_SIG_free(sealed);
    return key;
}

/* PKCS#1 and SEC 1, perhaps with the encryption of RFC 1421 in their header. */
static EVP_PKEY *read_traditional(char *header, unsigned char *der, long n, struct buf *passphrase)
{
    EVP_CIPHER_INFO cipher;
    const unsigned char *plain = der;

    if (PEM_get_EVP_CIPHER_INFO(header, &cipher) != 1 ||
        PEM_do_header(&cipher, der, &n, give_passphrase, passphrase) != 1)
        return NULL;
    return d2i_AutoPrivateKey(NULL, &plain, n);
}

static enum status read_key(const char *path, const char *name, char *header, unsigned char *der,
                            long n, struct buf *passphrase, EVP_PKEY **out, struct diag *why)
{
    bool pkcs8 = strcmp(name, PEM_STRING_PKCS8) == 0;
    bool encrypted = pkcs8 || strstr(header, "ENCRYPTED") != NULL;

    if (encrypted && passphrase->p == NULL) {
        diag_set(why, "%s: the private key is encrypted; set passphrase-file or passphrase-env",
                 path);
        return ST_BAD_INPUT;
    }
    if (*out != NULL) {
        diag_set(why,
                 "%s: holds more than one private key; keep the one that belongs to the "
                 "certificate",
                 path);
        return ST_BAD_INPUT;
    }
    if (pkcs8)
        *out = read_encrypted_pkcs8(der, n, passphrase);
    else if (strcmp(name, PEM_STRING_PKCS8INF) == 0)
        *out = read_pkcs8(der, n);
    else
        *out = read_traditional(header, der, n, passphrase);
    if (*out == NULL) {
        const char *reason = tls_error_text();
        if (encrypted)
            diag_set(why, "%s: the private key cannot be decrypted (%s); check the passphrase",
                     path, reason);
        else
            diag_set(why, "%s: the private key cannot be read (%s); export it again", path, reason);
        return ST_BAD_INPUT;
    }
    return ST_OK;
}

static bool is_private_key(const char *name)
{
    return slice_ends_nocase(slice_of(name), SLICE("PRIVATE KEY"));
}

static bool is_certificate(const char *name)
{
    return strcmp(name, PEM_STRING_X509) == 0 || strcmp(name, PEM_STRING_X509_OLD) == 0 ||
           strcmp(name, PEM_STRING_X509_TRUSTED) == 0;
}

static enum status read_certificate(const char *path, const unsigned char *der, long n,
                                    STACK_OF(X509) * into, struct diag *why)
{
    X509 *x = d2i_X509_AUX(NULL, &der, n);

    if (x == NULL || sk_X509_push(into, x) == 0) {
        X509_free(x);
        diag_set(why, "%s: a certificate in it cannot be read (%s); export it again", path,
                 tls_error_text());
        return ST_BAD_INPUT;
    }
    return ST_OK;
}

/* Everything that a file holds; the keys are passed over unless passphrase is given. */
static enum status read_blocks(const char *path, BIO *in, struct buf *passphrase,
                               struct parts *parts, struct diag *why)
{
    enum status st = ST_OK;
    char *name, *header;
    unsigned char *der;
    long n;

    while (st == ST_OK) {
        if (PEM_read_bio_ex(in, &name, &header, &der, &n,
                            PEM_FLAG_SECURE | PEM_FLAG_EAY_COMPATIBLE) != 1)
            break;
        if (is_certificate(name))
            st = read_certificate(path, der, n, parts->certificates, why);
        else if (is_private_key(name) && passphrase != NULL)
            st = read_key(path, name, header, der, n, passphrase, &parts->key, why);
        OPENSSL_secure_free(name);
        OPENSSL_secure_free(header);
        OPENSSL_secure_clear_free(der, (size_t)n);
    }
    unsigned long last = ERR_peek_last_error();
    ERR_clear_error();
    if (st == ST_OK && ERR_GET_REASON(last) != PEM_R_NO_START_LINE) {
        diag_set(why, "%s: a PEM block in it is damaged (%s); export the file again", path,
                 ERR_reason_error_string(last));
        st = ST_BAD_INPUT;
    }
    return st;
}

static enum status read_file(const char *path, struct buf *passphrase, struct parts *parts,
                             struct diag *why)
{
    struct buf text = {0};
    enum status st = file_read(path, &text, why);

    if (st != ST_OK)
        return st;
    BIO *in = BIO_new_mem_buf(text.p, (int)text.n);
    st = read_blocks(path, in, passphrase, parts, why);
    BIO_free(in);
    file_wipe(&text);
    return st;
}

static bool is_self_issued(X509 *x)
{
    return X509_NAME_cmp(X509_get_subject_name(x), X509_get_issuer_name(x)) == 0;
}

/* Moves the leaf and the certificates above it out of all; the others are not sent. */
static void arrange_chain(struct credential *c, STACK_OF(X509) * all)
{
    X509 *below = c->leaf;

    for (int i = 0; i < sk_X509_num(all); i++) {
        X509 *x = sk_X509_value(all, i);
        if (is_self_issued(x) || X509_check_issued(x, below) != X509_V_OK)
            continue;
        (void)sk_X509_delete(all, i);
        (void)sk_X509_push(c->chain, x);
        below = x;
        i = -1; /* from the start: the next one up may stand before this one */
    }
}

static bool take_leaf(struct credential *c, STACK_OF(X509) * all)
{
    for (int i = 0; i < sk_X509_num(all); i++) {
        if (X509_check_private_key(sk_X509_value(all, i), c->key) == 1) {
            c->leaf = sk_X509_delete(all, i);
            break;
        }
    }
    ERR_clear_error();
    return c->leaf != NULL;
}

static int64_t to_seconds(const ASN1_TIME *t)
{
    struct tm tm;

    return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static void note_facts(struct credential *c)
{
    BIO *text = BIO_new(BIO_s_mem());
    char *p;

    (void)X509_digest(c->leaf, EVP_sha256(), c->fingerprint, NULL);
    c->not_before = to_seconds(X509_get0_notBefore(c->leaf));
    c->not_after = to_seconds(X509_get0_notAfter(c->leaf));
    (void)X509_NAME_print_ex(text, X509_get_subject_name(c->leaf), 0,
                             XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB);
    long n = BIO_get_mem_data(text, &p);
    free(c->subject);
    c->subject = mem_copy_bytes(p, (size_t)n);
    BIO_free(text);
}

static enum status assemble(const struct credential_files *files, struct parts *parts,
                            struct credential *c, enum credential_source *source, struct diag *why)
{
    const char *key_path = files->private_key == NULL ? files->certificate : files->private_key;

    *source = CREDENTIAL_CERTIFICATE;
    if (sk_X509_num(parts->certificates) == 0) {
        diag_set(why,
                 "%s: holds no PEM certificate; name the file that begins with "
                 "-----BEGIN CERTIFICATE-----",
                 files->certificate);
        return ST_BAD_INPUT;
    }
    if (files->private_key != NULL)
        *source = CREDENTIAL_PRIVATE_KEY;
    if (parts->key == NULL) {
        diag_set(why,
                 files->private_key == NULL
                     ? "%s: holds no private key; name the key's file with private-key"
                     : "%s: holds no PEM private key; name the file with -----BEGIN ... PRIVATE "
                       "KEY-----",
                 key_path);
        return ST_BAD_INPUT;
    }
    c->key = parts->key;
    parts->key = NULL;
    if (!take_leaf(c, parts->certificates)) {
        diag_set(why,
                 "%s: the private key does not belong to the certificate in %s; use the two "
                 "files that were made together",
                 key_path, files->certificate);
        return ST_MISMATCH;
    }
    arrange_chain(c, parts->certificates);
    note_facts(c);
    return ST_OK;
}

enum status credential_load(const struct credential_files *files, struct credential **out,
                            enum credential_source *source, struct diag *why)
{
    struct parts parts = {sk_X509_new_null(), NULL};
    struct buf passphrase = {0};
    struct credential *c = credential_new();
    enum status st = read_passphrase(files, &passphrase, source, why);

    if (st == ST_OK) {
        *source = CREDENTIAL_CERTIFICATE;
        st = read_file(files->certificate, files->private_key == NULL ? &passphrase : NULL, &parts,
                       why);
    }
    if (st == ST_OK && files->private_key != NULL) {
        struct parts key = {sk_X509_new_null(), NULL};
        *source = CREDENTIAL_PRIVATE_KEY;
        st = read_file(files->private_key, &passphrase, &key, why);
        parts.key = key.key;
        key.key = NULL;
        parts_free(&key);
    }
    if (st == ST_OK)
        st = assemble(files, &parts, c, source, why);
    parts_free(&parts);
    file_wipe(&passphrase);
    if (st != ST_OK) {
        credential_unref(c);
        return st;
    }
    *out = c;
    return ST_OK;
}

enum status credential_apply(const struct credential *c, SSL_CTX *context, struct diag *why)
{
    SSL_CTX_set_mode(context, SSL_MODE_NO_AUTO_CHAIN); /* what the file holds is what is sent */
    if (SSL_CTX_use_certificate(context, c->leaf) == 1 &&
        SSL_CTX_set1_chain(context, c->chain) == 1 && SSL_CTX_use_PrivateKey(context, c->key) == 1)
        return ST_OK;
    diag_set(why, "OpenSSL refuses to use the certificate %s (%s); have a stronger one issued",
             c->subject, tls_error_text());
    return ST_BAD_INPUT;
}

const unsigned char *credential_fingerprint(const struct credential *c)
{
    return c->fingerprint;
}

const char *credential_subject(const struct credential *c)
{
    return c->subject;
}

int64_t credential_not_before(const struct credential *c)
{
    return c->not_before;
}

int64_t credential_not_after(const struct credential *c)
{
    return c->not_after;
}

const X509 *credential_leaf(const struct credential *c)
{
    return c->leaf;
}

enum status credential_new_key(struct credential **out, struct diag *why)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");

    if (key == NULL) {
        diag_set(why, "cannot make a P-256 key: %s", tls_error_text());
        return ST_SYSTEM;
    }
    *out = credential_new();
    (*out)->key = key;
    return ST_OK;
}

enum status credential_certify(struct credential *c, const struct credential *signer,
                               X509 *certificate, struct diag *why)
{
    if (X509_set_pubkey(certificate, c->key) != 1 ||
        X509_sign(certificate, signer->key, EVP_sha256()) == 0) {
        X509_free(certificate);
        diag_set(why, "cannot sign a certificate: %s", tls_error_text());
        return ST_SYSTEM;
    }
    c->leaf = certificate;
    if (signer != c && !is_self_issued(signer->leaf)) {
        (void)X509_up_ref(signer->leaf);
        (void)sk_X509_push(c->chain, signer->leaf);
        for (int i = 0; i < sk_X509_num(signer->chain); i++) {
            (void)X509_up_ref(sk_X509_value(signer->chain, i));
            (void)sk_X509_push(c->chain, sk_X509_value(signer->chain, i));
        }
    }
    note_facts(c);
    return ST_OK;
}

static enum status save_bio(const char *path, BIO *bytes, bool ok, struct diag *why)
{
    char *p;
    long n = BIO_get_mem_data(bytes, &p);
    enum status st = ST_SYSTEM;

    if (ok)
        st = file_write_new(path, (struct slice){p, (size_t)n}, why);
    else
        diag_set(why, "%s: cannot be encoded: %s", path, tls_error_text());
    BIO_free(bytes);
    return st;
}

enum status credential_save(const struct credential *c, const char *certificate_path,
                            const char *key_path, struct diag *why)
{
    BIO *certificates = BIO_new(BIO_s_mem());
    bool ok = PEM_write_bio_X509(certificates, c->leaf) == 1;

    for (int i = 0; i < sk_X509_num(c->chain); i++)
        ok = ok && PEM_write_bio_X509(certificates, sk_X509_value(c->chain, i)) == 1;
    enum status st = save_bio(certificate_path, certificates, ok, why);
    if (st != ST_OK || key_path == NULL)
        return st;
    BIO *key = BIO_new(BIO_s_secmem());
    ok = PEM_write_bio_PKCS8PrivateKey(key, c->key, NULL, NULL, 0, NULL, NULL) == 1;
    return save_bio(key_path, key, ok, why);
}
