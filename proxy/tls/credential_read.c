#include <string.h>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>

#include "base/file.h"
#include "base/utf8.h"
#include "tls/credential_parts.h"
#include "tls/error.h"

enum { MAX_WRAPPINGS = 2 /* base64 inside base64 is accepted, not more */, MIN_BASE64 = 40 };

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
        diag_at(why, path, "a certificate in it cannot be read (%s); export it again",
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
        diag_at(why, path, "a revocation list in it is damaged (%s); fetch it again",
                tls_error_text());
        return ST_BAD_INPUT;
    }
    return ST_OK;
}

/* Reads PKCS#7, in which some CAs deliver a certificate with its chain. */
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
    diag_at(why, path, "a PKCS#7 bundle in it cannot be read (%s); export it again",
            tls_error_text());
    return ST_BAD_INPUT;
}

static enum status read_block(const struct credential_reading *r, const struct pem_block *b,
                              struct diag *why)
{
    struct credential_parts *parts = r->parts;

    if (is_certificate(b->name))
        return read_certificate(r->path, b->der, b->n, parts->certificates, why);
    if (strcmp(b->name, PEM_STRING_PKCS7) == 0 || strcmp(b->name, PEM_STRING_PKCS7_SIGNED) == 0)
        return read_bundle(r->path, b->der, b->n, parts, why);
    if (strcmp(b->name, PEM_STRING_X509_CRL) == 0 && parts->crls != NULL)
        return read_crl(r->path, b->der, b->n, parts->crls, why);
    if (is_private_key(b->name) && r->wish != KEY_UNWANTED)
        return credential_read_key(r, b, why);
    return ST_OK;
}

static enum status read_pem(const struct credential_reading *r, struct slice bytes,
                            struct diag *why)
{
    struct buf text = {0};
    enum status st = credential_clean_text(r->path, bytes, &text, why);
    if (st != ST_OK) {
        file_wipe(&text);
        return st;
    }
    BIO *in = BIO_new_mem_buf(text.p, (int)text.n);
    /* Lists of public data may be larger than the locked memory. */
    unsigned flags = PEM_FLAG_EAY_COMPATIBLE | (r->parts->crls == NULL ? PEM_FLAG_SECURE : 0);
    char *name, *header;
    unsigned char *der;
    long n;

    ERR_clear_error();
    while (st == ST_OK) {
        if (PEM_read_bio_ex(in, &name, &header, &der, &n, flags) != 1)
            break;
        st = read_block(r, &(struct pem_block){name, header, der, n}, why);
        OPENSSL_secure_free(name);
        OPENSSL_secure_free(header);
        OPENSSL_secure_clear_free(der, (size_t)n);
    }
    BIO_free(in);
    file_wipe(&text);
    unsigned long last = ERR_peek_last_error();
    ERR_clear_error();
    if (st == ST_OK && ERR_GET_REASON(last) != PEM_R_NO_START_LINE) {
        diag_at(why, r->path, "a PEM block in it is damaged (%s); export the file again",
                last == 0 ? "its lines are not as they should be" : tls_reason_text(last));
        st = ST_BAD_INPUT;
    }
    return st;
}

/* ---- DER ---- */

static bool is_pkcs12(struct slice bytes, PKCS12 **out)
{
    const unsigned char *at = (const unsigned char *)bytes.p;

    *out = d2i_PKCS12(NULL, &at, (long)bytes.n);
    return *out != NULL;
}

/* The kind of key in a DER file, by its name in PEM; NULL: it is not a key. */
static const char *key_kind(struct slice bytes)
{
    const unsigned char *p = (const unsigned char *)bytes.p, *at = p;
    X509_SIG *sealed = d2i_X509_SIG(NULL, &at, (long)bytes.n);
    const char *kind = sealed == NULL ? NULL : PEM_STRING_PKCS8;

    X509_SIG_free(sealed);
    at = p;
    EVP_PKEY *key = kind != NULL ? NULL : d2i_AutoPrivateKey(NULL, &at, (long)bytes.n);
    if (key != NULL)
        kind = "PRIVATE KEY in DER"; /* of another kind */
    EVP_PKEY_free(key);
    ERR_clear_error();
    return kind;
}

static enum status read_der_key(const struct credential_reading *r, const char *kind,
                                struct slice bytes, struct diag *why)
{
    struct buf copy = {0}; /* it may be overwritten */

    buf_add_slice(&copy, bytes);
    enum status st = credential_read_key(
        r, &(struct pem_block){kind, "", (unsigned char *)copy.p, (long)copy.n}, why);
    file_wipe(&copy);
    return st;
}

static enum status read_der(const struct credential_reading *r, struct slice bytes,
                            struct diag *why)
{
    const unsigned char *p = (const unsigned char *)bytes.p;
    struct credential_parts *parts = r->parts;
    long n = (long)bytes.n;
    PKCS12 *p12;

    if (is_pkcs12(bytes, &p12)) {
        enum status st = credential_read_pkcs12(r, p12, why);
        PKCS12_free(p12);
        return st;
    }
    if (read_certificate(r->path, p, n, parts->certificates, why) == ST_OK ||
        (parts->crls != NULL && read_crl(r->path, p, n, parts->crls, why) == ST_OK) ||
        read_bundle(r->path, p, n, parts, why) == ST_OK) {
        ERR_clear_error();
        return ST_OK;
    }
    const char *kind = key_kind(bytes);
    if (kind != NULL && r->wish == KEY_UNWANTED)
        return ST_OK;
    if (kind != NULL)
        return read_der_key(r, kind, bytes, why);
    diag_at(why, r->path,
            "is damaged, or DER of something else than a certificate, a key or PKCS#12; export "
            "it again");
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

/* Copies base64 text without its line ends. False: it is something else. */
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
        buf_add(out, "=", 1); /* some exports omit it */
    return out->n >= MIN_BASE64;
}

static bool decode_base64(struct slice text, struct buf *out)
{
    struct buf packed = {0};
    bool done = false;

    buf_reserve(&packed, text.n + 4); /* the memory must not move, so that nothing is left behind */
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
        diag_at(why, path,
                "is a Java key store (JKS); convert it: keytool -importkeystore -srckeystore "
                "%s -destkeystore new.p12 -deststoretype PKCS12",
                path);
    else if (utf8_is_16(bytes))
        diag_at(why, path, "is UTF-16 text; save it as ASCII or UTF-8");
    else if (bytes.n == 0)
        diag_at(why, path, "is empty; export it again");
    else if (credential_is_json(bytes))
        return credential_refuse_json(path, why);
    else if (is_public)
        diag_at(why, path,
                "holds no PEM certificate and no CRL; name a file that begins with -----BEGIN "
                "CERTIFICATE----- or -----BEGIN X509 CRL-----");
    else
        diag_at(why, path,
                "holds no PEM certificate or private key, no base64 of one, and no PKCS#12; "
                "name the file that does");
    return ST_BAD_INPUT;
}

static enum status read_form(const struct credential_reading *r, struct slice bytes, int wrappings,
                             struct diag *why)
{
    struct buf inner = {0};

    if (bytes.n > 0 && memmem(bytes.p, bytes.n, "-----BEGIN ", 11) != NULL)
        return read_pem(r, bytes, why);
    if (bytes.n > 2 && bytes.p[0] == 0x30 && (bytes.p[1] & 0x80) != 0)
        return read_der(r, bytes, why);
    if (wrappings >= MAX_WRAPPINGS || !decode_base64(bytes, &inner))
        return unknown_form(r->path, bytes, r->parts->crls != NULL, why);
    enum status st = read_form(r, buf_slice(&inner), wrappings + 1, why);
    file_wipe(&inner);
    return st;
}

enum status credential_read(const struct credential_reading *r, struct slice bytes,
                            struct diag *why)
{
    utf8_skip_mark(&bytes);
    return read_form(r, bytes, 0, why);
}

enum status credential_read_public(const char *path, struct slice bytes,
                                   STACK_OF(X509) * certificates, STACK_OF(X509_CRL) * crls,
                                   struct diag *why)
{
    const struct credential_files none = {.certificate = path};
    struct key_opener opener = {.files = &none};
    struct credential_parts parts = {.certificates = certificates, .crls = crls};

    return credential_read(&(struct credential_reading){path, KEY_UNWANTED, &opener, &parts}, bytes,
                           why);
}
