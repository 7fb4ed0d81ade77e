/* Private keys, and the decryption of those that are encrypted. */
#include <stdlib.h>
#include <string.h>

#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "tls/credential_parts.h"
#include "tls/error.h"

/* ---- passphrase ---- */

bool credential_has_passphrase(struct key_opener *o, const char *path)
{
    const struct credential_files *files = o->files;

    if (o->passphrase.p == NULL && !o->asked && files->ask != NULL) {
        o->asked = true;
        files->ask(files->ask_ctx, path, &o->passphrase);
    }
    return o->passphrase.p != NULL;
}

enum status credential_lacks_passphrase(const char *path, const char *what, struct diag *why)
{
    diag_at(why, path, "%s is encrypted; set passphrase-file or passphrase-env", what);
    return ST_LOCKED;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_quote(char c)
{
    return c == '"' || c == '\'';
}

const char *credential_passphrase_flaw(const struct buf *passphrase)
{
    const char *p = passphrase->p;
    size_t n = passphrase->n;

    if (n == 0)
        return ", which is empty";
    if (memchr(p, '\0', n) != NULL)
        return ", which holds NUL bytes: it may be UTF-16 text";
    if (memchr(p, '\n', n) != NULL)
        return ", which has more than one line";
    if (is_blank(p[0]) || is_blank(p[n - 1]))
        return ", which begins or ends with a blank";
    return n > 1 && is_quote(p[0]) && p[n - 1] == p[0] ? ", which is within quotation marks" : "";
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

static bool is_unsupported(unsigned long code)
{
    static const int reasons[] = {EVP_R_UNSUPPORTED_ALGORITHM,
                                  EVP_R_UNKNOWN_PBE_ALGORITHM,
                                  EVP_R_UNSUPPORTED_CIPHER,
                                  EVP_R_UNSUPPORTED_PRF,
                                  EVP_R_UNKNOWN_CIPHER,
                                  EVP_R_UNKNOWN_DIGEST,
                                  EVP_R_UNSUPPORTED_KEY_DERIVATION_FUNCTION};
    int library = ERR_GET_LIB(code), reason = ERR_GET_REASON(code);

    if (reason == ERR_R_UNSUPPORTED)
        return true;
    if (library == ERR_LIB_PEM)
        return reason == PEM_R_UNSUPPORTED_ENCRYPTION || reason == PEM_R_UNSUPPORTED_CIPHER;
    if (library == ERR_LIB_PKCS12)
        return reason == PKCS12_R_UNKNOWN_DIGEST_ALGORITHM;
    for (size_t i = 0; library == ERR_LIB_EVP && i < ARRAY_LEN(reasons); i++)
        if (reason == reasons[i])
            return true;
    return false;
}

struct key_errors credential_take_errors(void)
{
    struct key_errors e = {false, false, NULL};
    unsigned long code;

    while ((code = ERR_get_error()) != 0) {
        if (e.text == NULL)
            e.text = tls_reason_text(code);
        e.unsupported = e.unsupported || is_unsupported(code);
        e.too_dear = e.too_dear || (ERR_GET_LIB(code) == ERR_LIB_EVP &&
                                    ERR_GET_REASON(code) == EVP_R_MEMORY_LIMIT_EXCEEDED);
    }
    return e;
}

/* RC2, DES and similar are in a provider that OpenSSL 3 does not load by default. */
bool credential_use_legacy(void)
{
    static OSSL_PROVIDER *legacy;

    if (legacy == NULL && OSSL_PROVIDER_load(NULL, "default") != NULL)
        legacy = OSSL_PROVIDER_load(NULL, "legacy");
    ERR_clear_error();
    return legacy != NULL;
}

/* Loads the provider in a library context that nobody uses, so that its code is in memory. */
void credential_prepare(void)
{
    static OSSL_LIB_CTX *apart;

    if (apart == NULL && (apart = OSSL_LIB_CTX_new()) != NULL)
        (void)OSSL_PROVIDER_load(apart, "legacy");
    ERR_clear_error();
}

/* ---- the forms of a key ---- */

static EVP_PKEY *read_pkcs8(const struct pem_block *b)
{
    const unsigned char *der = b->der;
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &der, b->n);
    EVP_PKEY *key = info == NULL ? NULL : EVP_PKCS82PKEY(info);

    PKCS8_PRIV_KEY_INFO_free(info);
    return key;
}

static EVP_PKEY *read_encrypted_pkcs8(const struct pem_block *b, const struct buf *passphrase)
{
    const unsigned char *der = b->der;
    X509_SIG *sealed = d2i_X509_SIG(NULL, &der, b->n);
    PKCS8_PRIV_KEY_INFO *info =
        sealed == NULL ? NULL : PKCS8_decrypt(sealed, passphrase->p, (int)passphrase->n);
    EVP_PKEY *key = info == NULL ? NULL : EVP_PKCS82PKEY(info);

    PKCS8_PRIV_KEY_INFO_free(info);
    X509_SIG_free(sealed);
    return key;
}

/* Reads PKCS#1 or SEC 1, which may be encrypted as its header says (RFC 1421). If the algorithm is
 * missing, the bytes stay unchanged. A wrong passphrase makes bytes that are no key; OpenSSL's
 * error about them is meaningless and removed. */
static EVP_PKEY *read_traditional(const struct pem_block *b, struct buf *passphrase)
{
    char *header = mem_copy_string(b->header);
    const unsigned char *plain = b->der;
    EVP_CIPHER_INFO cipher;
    long n = b->n;
    bool open = PEM_get_EVP_CIPHER_INFO(header, &cipher) == 1 &&
                PEM_do_header(&cipher, b->der, &n, give_passphrase, passphrase) == 1;

    free(header);
    EVP_PKEY *key = open ? d2i_AutoPrivateKey(NULL, &plain, n) : NULL;
    if (open && key == NULL && cipher.cipher != NULL)
        ERR_clear_error();
    return key;
}

static EVP_PKEY *read_once(const struct pem_block *b, struct buf *passphrase)
{
    if (strcmp(b->name, PEM_STRING_PKCS8) == 0)
        return read_encrypted_pkcs8(b, passphrase);
    return strcmp(b->name, PEM_STRING_PKCS8INF) == 0 ? read_pkcs8(b)
                                                     : read_traditional(b, passphrase);
}

/* *errors: why the key could not be read. */
static EVP_PKEY *read_either_way(const struct pem_block *b, struct buf *passphrase,
                                 struct key_errors *errors)
{
    ERR_clear_error();
    EVP_PKEY *key = read_once(b, passphrase);

    *errors = credential_take_errors();
    if (key == NULL && errors->unsupported && credential_use_legacy()) {
        key = read_once(b, passphrase);
        *errors = credential_take_errors();
    }
    return key;
}

/* ---- why a key cannot be read ---- */

/* The algorithm that the key is encrypted with, by its header or its own structure. */
static void name_algorithm(const struct pem_block *b, char *out, size_t size)
{
    const char *info = strstr(b->header, "DEK-Info: ");
    const unsigned char *der = b->der;
    const X509_ALGOR *algorithm = NULL;
    const ASN1_OBJECT *object = NULL;

    (void)snprintf(out, size, "an algorithm");
    if (info != NULL) {
        info += strlen("DEK-Info: ");
        (void)snprintf(out, size, "%.*s", (int)strcspn(info, ",\r\n"), info);
        return;
    }
    X509_SIG *sealed = d2i_X509_SIG(NULL, &der, b->n);
    PBE2PARAM *scheme = NULL;
    if (sealed != NULL) {
        X509_SIG_get0(sealed, &algorithm, NULL);
        scheme = ASN1_TYPE_unpack_sequence(ASN1_ITEM_rptr(PBE2PARAM), algorithm->parameter);
        X509_ALGOR_get0(&object, NULL, NULL, scheme == NULL ? algorithm : scheme->encryption);
        (void)OBJ_obj2txt(out, (int)size, object, 0);
    }
    PBE2PARAM_free(scheme);
    X509_SIG_free(sealed);
    ERR_clear_error();
}

static enum status explain(const struct credential_reading *r, const struct pem_block *b,
                           bool encrypted, const struct key_errors *e, struct diag *why)
{
    char algorithm[64];

    if (!encrypted) {
        diag_at(why, r->path, "the private key cannot be read (%s); export it again",
                e->text == NULL ? "it is damaged" : e->text);
    } else if (e->unsupported) {
        name_algorithm(b, algorithm, sizeof(algorithm));
        diag_at(why, r->path,
                "the private key is encrypted with %s, which this OpenSSL cannot read; convert "
                "it: openssl pkey -provider legacy -provider default -in %s -aes256 -out new.key",
                algorithm, r->path);
    } else if (e->too_dear) {
        diag_at(why, r->path,
                "opening the private key costs more memory than OpenSSL grants; encrypt it again: "
                "openssl pkcs8 -topk8 -in %s -out new.key",
                r->path);
    } else {
        /* Without OpenSSL's reason: with a wrong passphrase it depends on chance. */
        diag_at(why, r->path, "the private key cannot be decrypted; check the passphrase%s",
                credential_passphrase_flaw(&r->opener->passphrase));
        return ST_LOCKED;
    }
    return ST_BAD_INPUT;
}

/* ---- from bytes ---- */

enum status credential_read_key(const struct credential_reading *r, const struct pem_block *b,
                                struct diag *why)
{
    struct credential_parts *parts = r->parts;
    bool encrypted =
        strcmp(b->name, PEM_STRING_PKCS8) == 0 || strstr(b->header, "ENCRYPTED") != NULL;
    struct key_errors errors;

    if (encrypted && !credential_has_passphrase(r->opener, r->path)) {
        parts->key_locked = true;
        return r->wish == KEY_IF_OPEN
                   ? ST_OK
                   : credential_lacks_passphrase(r->path, "the private key", why);
    }
    EVP_PKEY *key = read_either_way(b, &r->opener->passphrase, &errors);
    if (key == NULL)
        return explain(r, b, encrypted, &errors, why);
    credential_take_key(key, parts);
    return ST_OK;
}
