#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <openssl/x509v3.h>

#include "base/file.h"
#include "base/mem.h"
#include "tls/credential_parts.h"
#include "tls/error.h"

enum { MAX_WRAPPINGS = 2 /* base64 around base64 is enough */, MIN_BASE64 = 40 };

void credential_parts_free(struct credential_parts *p)
{
    EVP_PKEY_free(p->key);
    sk_X509_pop_free(p->certificates, X509_free);
}

/* ---- passphrase ---- */

/* Asks at the terminal, once, if there is somebody to ask. */
static bool has_passphrase(struct key_opener *o, const char *path)
{
    const struct credential_files *files = o->files;

    if (o->passphrase.p == NULL && !o->asked && files->ask != NULL) {
        o->asked = true;
        files->ask(files->ask_ctx, path, &o->passphrase);
    }
    return o->passphrase.p != NULL;
}

static enum status no_passphrase(const char *path, const char *what, struct diag *why)
{
    diag_set(why, "%s: %s is encrypted; set passphrase-file or passphrase-env", path, what);
    return ST_BAD_INPUT;
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

/* ---- old algorithms ---- */

static bool last_was_unsupported(void)
{
    unsigned long error = ERR_peek_error();

    while (error != 0 && ERR_GET_REASON(error) != ERR_R_UNSUPPORTED &&
           ERR_GET_REASON(error) != EVP_R_UNSUPPORTED_ALGORITHM &&
           ERR_GET_REASON(error) != EVP_R_UNKNOWN_PBE_ALGORITHM)
        error = (ERR_get_error(), ERR_peek_error());
    return error != 0;
}

/* RC2 and the like live in a provider that OpenSSL 3 does not load by itself. */
static bool load_legacy_provider(void)
{
    static OSSL_PROVIDER *legacy;

    if (legacy == NULL && OSSL_PROVIDER_load(NULL, "default") != NULL)
        legacy = OSSL_PROVIDER_load(NULL, "legacy");
    ERR_clear_error();
    return legacy != NULL;
}

/* A library of its own that nobody uses: it only has to be in memory. */
void credential_prepare(void)
{
    static OSSL_LIB_CTX *apart;

    if (apart == NULL && (apart = OSSL_LIB_CTX_new()) != NULL)
        (void)OSSL_PROVIDER_load(apart, "legacy");
    ERR_clear_error();
}

/* ---- private keys ---- */

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
    if (info == NULL && sealed != NULL && last_was_unsupported() && load_legacy_provider())
        info = PKCS8_decrypt(sealed, passphrase->p, (int)passphrase->n);
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

static enum status take_key(const char *path, EVP_PKEY *key, struct credential_parts *parts,
                            struct diag *why)
{
    if (parts->key == NULL) {
        parts->key = key;
        return ST_OK;
    }
    bool same = EVP_PKEY_eq(parts->key, key) == 1;
    EVP_PKEY_free(key);
    if (same)
        return ST_OK;
    diag_set(why,
             "%s: holds more than one private key; keep the one that belongs to the certificate",
             path);
    return ST_BAD_INPUT;
}

static enum status explain_key(const char *path, bool encrypted, struct diag *why)
{
    bool told =
        ERR_peek_error() != 0; /* OpenSSL takes a wrong passphrase for no error now and then */
    const char *reason = told ? tls_error_text() : "it does not fit";

    if (encrypted)
        diag_set(why, "%s: the private key cannot be decrypted (%s); check the passphrase", path,
                 reason);
    else
        diag_set(why, "%s: the private key cannot be read (%s); export it again", path, reason);
    return ST_BAD_INPUT;
}

static enum status read_key(const char *path, const char *name, char *header, unsigned char *der,
                            long n, enum key_wish wish, struct key_opener *opener,
                            struct credential_parts *parts, struct diag *why)
{
    bool pkcs8 = strcmp(name, PEM_STRING_PKCS8) == 0;
    bool encrypted = pkcs8 || strstr(header, "ENCRYPTED") != NULL;
    EVP_PKEY *key;

    if (encrypted && !has_passphrase(opener, path)) {
        parts->key_locked = true;
        return wish == KEY_IF_OPEN ? ST_OK : no_passphrase(path, "the private key", why);
    }
    if (pkcs8)
        key = read_encrypted_pkcs8(der, n, &opener->passphrase);
    else if (strcmp(name, PEM_STRING_PKCS8INF) == 0)
        key = read_pkcs8(der, n);
    else
        key = read_traditional(header, der, n, &opener->passphrase);
    return key == NULL ? explain_key(path, encrypted, why) : take_key(path, key, parts, why);
}

/* ---- PEM ---- */

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

static enum status read_crl(const char *path, const unsigned char *der, long n,
                            STACK_OF(X509_CRL) * into, struct diag *why)
{
    X509_CRL *list = d2i_X509_CRL(NULL, &der, n);

    if (list == NULL || sk_X509_CRL_push(into, list) == 0) {
        X509_CRL_free(list);
        diag_set(why, "%s: a revocation list in it is damaged (%s); fetch it again", path,
                 tls_error_text());
        return ST_BAD_INPUT;
    }
    return ST_OK;
}

/* PKCS#7, in which some CAs deliver a certificate with its chain. */
static enum status read_bundle(const char *path, const unsigned char *der, long n,
                               struct credential_parts *parts, struct diag *why)
{
    PKCS7 *bundle = d2i_PKCS7(NULL, &der, n);
    bool read = bundle != NULL && PKCS7_type_is_signed(bundle) && bundle->d.sign != NULL;
    STACK_OF(X509) *held = read ? bundle->d.sign->cert : NULL;
    STACK_OF(X509_CRL) *lists = read && parts->crls != NULL ? bundle->d.sign->crl : NULL;

    for (int i = 0; i < sk_X509_num(held); i++)
        if (X509_up_ref(sk_X509_value(held, i)) == 1)
            (void)sk_X509_push(parts->certificates, sk_X509_value(held, i));
    for (int i = 0; i < sk_X509_CRL_num(lists); i++)
        if (X509_CRL_up_ref(sk_X509_CRL_value(lists, i)) == 1)
            (void)sk_X509_CRL_push(parts->crls, sk_X509_CRL_value(lists, i));
    PKCS7_free(bundle);
    if (read)
        return ST_OK;
    diag_set(why, "%s: a PKCS#7 bundle in it cannot be read (%s); export it again", path,
             tls_error_text());
    return ST_BAD_INPUT;
}

static enum status read_block(const char *path, const char *name, char *header, unsigned char *der,
                              long n, enum key_wish wish, struct key_opener *opener,
                              struct credential_parts *parts, struct diag *why)
{
    if (is_certificate(name))
        return read_certificate(path, der, n, parts->certificates, why);
    if (strcmp(name, PEM_STRING_PKCS7) == 0 || strcmp(name, PEM_STRING_PKCS7_SIGNED) == 0)
        return read_bundle(path, der, n, parts, why);
    if (strcmp(name, PEM_STRING_X509_CRL) == 0 && parts->crls != NULL)
        return read_crl(path, der, n, parts->crls, why);
    if (is_private_key(name) && wish != KEY_UNWANTED)
        return read_key(path, name, header, der, n, wish, opener, parts, why);
    return ST_OK;
}

static enum status read_pem(const char *path, struct slice bytes, enum key_wish wish,
                            struct key_opener *opener, struct credential_parts *parts,
                            struct diag *why)
{
    BIO *in = BIO_new_mem_buf(bytes.p, (int)bytes.n);
    /* Lists of what is public can be larger than the locked memory. */
    unsigned flags = PEM_FLAG_EAY_COMPATIBLE | (parts->crls == NULL ? PEM_FLAG_SECURE : 0);
    enum status st = ST_OK;
    char *name, *header;
    unsigned char *der;
    long n;

    ERR_clear_error();
    while (st == ST_OK) {
        if (PEM_read_bio_ex(in, &name, &header, &der, &n, flags) != 1)
            break;
        st = read_block(path, name, header, der, n, wish, opener, parts, why);
        OPENSSL_secure_free(name);
        OPENSSL_secure_free(header);
        OPENSSL_secure_clear_free(der, (size_t)n);
    }
    BIO_free(in);
    unsigned long last = ERR_peek_last_error();
    ERR_clear_error();
    if (st == ST_OK && ERR_GET_REASON(last) != PEM_R_NO_START_LINE) {
        diag_set(why, "%s: a PEM block in it is damaged (%s); export the file again", path,
                 ERR_reason_error_string(last));
        st = ST_BAD_INPUT;
    }
    return st;
}

/* ---- PKCS#12 ---- */

/* An empty passphrase is written in two ways, and both are tried. */
static bool verify_mac(PKCS12 *p12, const struct buf *passphrase)
{
    if (PKCS12_mac_present(p12) == 0)
        return true;
    if (passphrase->p != NULL)
        return PKCS12_verify_mac(p12, passphrase->p, (int)passphrase->n) == 1;
    return PKCS12_verify_mac(p12, NULL, 0) == 1 || PKCS12_verify_mac(p12, "", 0) == 1;
}

static bool open_pkcs12(PKCS12 *p12, struct buf *passphrase, EVP_PKEY **key, X509 **leaf,
                        STACK_OF(X509) * *others)
{
    buf_add(passphrase, "", 1); /* PKCS12_parse() wants a C string */
    passphrase->n--;
    ERR_clear_error();
    if (PKCS12_parse(p12, passphrase->p, key, leaf, others) == 1)
        return true;
    return last_was_unsupported() && load_legacy_provider() &&
           PKCS12_parse(p12, passphrase->p, key, leaf, others) == 1;
}

static enum status explain_pkcs12(const char *path, struct diag *why)
{
    if (last_was_unsupported())
        diag_set(why,
                 "%s: is encrypted in an old way that this OpenSSL cannot read; convert it: "
                 "openssl pkcs12 -legacy -in %s -out new.pem",
                 path, path);
    else if (ERR_peek_last_error() ==
             0) /* the MAC does not fit, which OpenSSL takes for no error */
        diag_set(why, "%s: the passphrase does not open the PKCS#12 file; check the passphrase",
                 path);
    else
        diag_set(why, "%s: the PKCS#12 file cannot be opened (%s); check the passphrase", path,
                 tls_error_text());
    ERR_clear_error();
    return ST_BAD_INPUT;
}

static enum status read_pkcs12(const char *path, PKCS12 *p12, enum key_wish wish,
                               struct key_opener *opener, struct credential_parts *parts,
                               struct diag *why)
{
    struct buf none = {0}, *passphrase = &none;
    STACK_OF(X509) *others = NULL;
    EVP_PKEY *key = NULL;
    X509 *leaf = NULL;

    if (!verify_mac(p12, &none)) {
        if (last_was_unsupported())
            return explain_pkcs12(path, why);
        ERR_clear_error();
        if (!has_passphrase(opener, path))
            return no_passphrase(path, "the PKCS#12 file", why);
        passphrase = &opener->passphrase;
    }
    bool opened = verify_mac(p12, passphrase) && open_pkcs12(p12, passphrase, &key, &leaf, &others);
    buf_free(&none);
    if (!opened)
        return explain_pkcs12(path, why);
    ERR_clear_error();
    if (leaf != NULL)
        (void)sk_X509_push(parts->certificates, leaf);
    while (sk_X509_num(others) > 0)
        (void)sk_X509_push(parts->certificates, sk_X509_shift(others));
    sk_X509_free(others);
    if (key == NULL || wish == KEY_UNWANTED) {
        EVP_PKEY_free(key);
        return ST_OK;
    }
    return take_key(path, key, parts, why);
}

/* ---- DER ---- */

static enum status read_der(const char *path, struct slice bytes, enum key_wish wish,
                            struct key_opener *opener, struct credential_parts *parts,
                            struct diag *why)
{
    const unsigned char *p = (const unsigned char *)bytes.p, *at = p;
    PKCS12 *p12 = d2i_PKCS12(NULL, &at, (long)bytes.n);

    if (p12 != NULL) {
        enum status st = read_pkcs12(path, p12, wish, opener, parts, why);
        PKCS12_free(p12);
        return st;
    }
    at = p;
    X509 *x = d2i_X509(NULL, &at, (long)bytes.n);
    if (x != NULL) {
        (void)sk_X509_push(parts->certificates, x);
        ERR_clear_error();
        return ST_OK;
    }
    if (parts->crls != NULL && read_crl(path, p, (long)bytes.n, parts->crls, why) == ST_OK) {
        ERR_clear_error();
        return ST_OK;
    }
    at = p;
    X509_SIG *sealed = d2i_X509_SIG(NULL, &at, (long)bytes.n);
    bool encrypted = sealed != NULL;
    X509_SIG_free(sealed);
    at = p;
    EVP_PKEY *key =
        encrypted || wish == KEY_UNWANTED ? NULL : d2i_AutoPrivateKey(NULL, &at, (long)bytes.n);
    if (encrypted && wish != KEY_UNWANTED && has_passphrase(opener, path))
        key = read_encrypted_pkcs8(p, (long)bytes.n, &opener->passphrase);
    if (key != NULL) {
        ERR_clear_error();
        return take_key(path, key, parts, why);
    }
    if (encrypted && opener->passphrase.p == NULL) {
        parts->key_locked = true;
        return wish == KEY_REQUIRED ? no_passphrase(path, "the private key", why) : ST_OK;
    }
    if (encrypted)
        return explain_key(path, true, why);
    at = p;
    if (read_bundle(path, at, (long)bytes.n, parts, why) == ST_OK)
        return ST_OK;
    diag_set(
        why,
        "%s: is damaged, or DER of something else than a certificate, a key or PKCS#12; export "
        "it again",
        path);
    ERR_clear_error();
    return ST_BAD_INPUT;
}

/* ---- forms ---- */

static bool begins(struct slice s, const char *bytes, size_t n)
{
    return s.n >= n && memcmp(s.p, bytes, n) == 0;
}

static bool is_base64_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/' || c == '=';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The base64 text without its line ends; false if it is something else. */
static bool pack_base64(struct slice text, struct buf *out)
{
    for (size_t i = 0; i < text.n; i++) {
        if (is_blank(text.p[i]))
            continue;
        if (!is_base64_char(text.p[i]))
            return false;
        buf_add(out, &text.p[i], 1);
    }
    while (out->n % 4 != 0)
        buf_add(out, "=", 1); /* some exports leave it out */
    return out->n >= MIN_BASE64;
}

static bool decode_base64(struct slice text, struct buf *out)
{
    struct buf packed = {0};
    bool done = false;

    buf_reserve(&packed, text.n + 4); /* not moved: nothing of it stays behind */
    if (pack_base64(text, &packed)) {
        buf_reserve(out, packed.n);
        int n = EVP_DecodeBlock((unsigned char *)out->p, (const unsigned char *)packed.p,
                                (int)packed.n);
        size_t padding = (packed.p[packed.n - 1] == '=') + (packed.p[packed.n - 2] == '=');
        done = n > 0;
        out->n = done ? (size_t)n - padding : 0;
    }
    file_wipe(&packed);
    return done;
}

static enum status unknown_form(const char *path, struct slice bytes, bool is_public,
                                struct diag *why)
{
    if (begins(bytes, "\xfe\xed\xfe\xed", 4) || begins(bytes, "\xce\xce\xce\xce", 4))
        diag_set(why,
                 "%s: is a Java key store (JKS); convert it: keytool -importkeystore -srckeystore "
                 "%s -destkeystore new.p12 -deststoretype PKCS12",
                 path, path);
    else if (begins(bytes, "\xff\xfe", 2) || begins(bytes, "\xfe\xff", 2))
        diag_set(why, "%s: is UTF-16 text; save it as ASCII or UTF-8", path);
    else if (bytes.n == 0)
        diag_set(why, "%s: is empty; export it again", path);
    else if (is_public)
        diag_set(why,
                 "%s: holds no PEM certificate and no CRL; name a file that begins with -----BEGIN "
                 "CERTIFICATE----- or -----BEGIN X509 CRL-----",
                 path);
    else
        diag_set(why,
                 "%s: holds no PEM certificate or private key, no base64 of one, and no PKCS#12; "
                 "name the file that does",
                 path);
    return ST_BAD_INPUT;
}

static enum status read_form(const char *path, struct slice bytes, int wrappings,
                             enum key_wish wish, struct key_opener *opener,
                             struct credential_parts *parts, struct diag *why)
{
    struct buf inner = {0};

    if (bytes.n > 0 && memmem(bytes.p, bytes.n, "-----BEGIN ", 11) != NULL)
        return read_pem(path, bytes, wish, opener, parts, why);
    if (bytes.n > 2 && bytes.p[0] == 0x30 && (bytes.p[1] & 0x80) != 0)
        return read_der(path, bytes, wish, opener, parts, why);
    if (wrappings >= MAX_WRAPPINGS || !decode_base64(bytes, &inner))
        return unknown_form(path, bytes, parts->crls != NULL, why);
    enum status st = read_form(path, buf_slice(&inner), wrappings + 1, wish, opener, parts, why);
    file_wipe(&inner);
    return st;
}

enum status credential_read(const char *path, struct slice bytes, enum key_wish wish,
                            struct key_opener *opener, struct credential_parts *parts,
                            struct diag *why)
{
    if (begins(bytes, "\xef\xbb\xbf", 3))
        bytes = (struct slice){bytes.p + 3, bytes.n - 3};
    return read_form(path, bytes, 0, wish, opener, parts, why);
}

enum status credential_read_public(const char *path, struct slice bytes,
                                   STACK_OF(X509) * certificates, STACK_OF(X509_CRL) * crls,
                                   struct diag *why)
{
    const struct credential_files none = {.certificate = path};
    struct key_opener opener = {.files = &none};
    struct credential_parts parts = {.certificates = certificates, .crls = crls};

    return credential_read(path, bytes, KEY_UNWANTED, &opener, &parts, why);
}
