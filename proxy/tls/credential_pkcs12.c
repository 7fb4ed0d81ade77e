/*
 * Reads PKCS#12 (RFC 7292) bag by bag. PKCS12_parse() is not enough: it returns
 * only one key, and it cannot open an encrypted file without a MAC.
 */
#include <openssl/err.h>
#include <openssl/pkcs12.h>

#include "base/mem.h"
#include "tls/credential_parts.h"

enum { MAX_DEPTH = 4 };

enum outcome { OPENED, WRONG_PASSPHRASE, FAILED };

/* To open the file with one passphrase. */
struct attempt {
    const char *passphrase; /* NULL: none */
    int n;
    bool wants_keys;
    struct credential_parts *parts;
    bool locked; /* something could not be decrypted */
};

/* ---- bags ---- */

/* Adds the key; notes an error if it is NULL. Takes ownership of key. */
static void add_key(struct attempt *a, EVP_PKEY *key)
{
    if (key == NULL)
        a->locked = true;
    else
        credential_take_key(key, a->parts);
}

static void add_sealed_key(struct attempt *a, const PKCS12_SAFEBAG *bag)
{
    PKCS8_PRIV_KEY_INFO *info = PKCS12_decrypt_skey(bag, a->passphrase, a->n);

    add_key(a, info == NULL ? NULL : EVP_PKCS82PKEY(info));
    PKCS8_PRIV_KEY_INFO_free(info);
}

static void add_certificate(struct attempt *a, const PKCS12_SAFEBAG *bag)
{
    X509 *x = PKCS12_SAFEBAG_get_bag_nid(bag) == NID_x509Certificate ? PKCS12_SAFEBAG_get1_cert(bag)
                                                                     : NULL;

    if (x != NULL)
        (void)sk_X509_push(a->parts->certificates, x);
}

static void add_bags(struct attempt *a, const STACK_OF(PKCS12_SAFEBAG) * bags, int depth)
{
    for (int i = 0; i < sk_PKCS12_SAFEBAG_num(bags); i++) {
        const PKCS12_SAFEBAG *bag = sk_PKCS12_SAFEBAG_value(bags, i);
        int kind = PKCS12_SAFEBAG_get_nid(bag);
        if (kind == NID_certBag)
            add_certificate(a, bag);
        else if (kind == NID_keyBag && a->wants_keys)
            add_key(a, EVP_PKCS82PKEY(PKCS12_SAFEBAG_get0_p8inf(bag)));
        else if (kind == NID_pkcs8ShroudedKeyBag && a->wants_keys)
            add_sealed_key(a, bag);
        else if (kind == NID_safeContentsBag && depth < MAX_DEPTH)
            add_bags(a, PKCS12_SAFEBAG_get0_safes(bag), depth + 1);
    }
}

static void add_safe(struct attempt *a, PKCS7 *safe)
{
    int kind = OBJ_obj2nid(safe->type);
    STACK_OF(PKCS12_SAFEBAG) *bags = NULL;

    if (kind == NID_pkcs7_data)
        bags = PKCS12_unpack_p7data(safe);
    else if (kind == NID_pkcs7_encrypted)
        bags = PKCS12_unpack_p7encdata(safe, a->passphrase, a->n);
    if (bags == NULL)
        a->locked = true;
    add_bags(a, bags, 0);
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
}

/* ---- the file ---- */

/* True if the passphrase fits the MAC, or if the MAC is of a kind that this OpenSSL does not know
 * (PBMAC1 before 3.4). In that case the decryption decides. */
static bool fits_mac(PKCS12 *p12, const struct attempt *a)
{
    if (PKCS12_mac_present(p12) == 0 || PKCS12_verify_mac(p12, a->passphrase, a->n) == 1)
        return true;
    return credential_take_errors().unsupported;
}

static enum outcome try_once(PKCS12 *p12, struct attempt *a)
{
    ERR_clear_error();
    if (!fits_mac(p12, a))
        return WRONG_PASSPHRASE;
    ERR_clear_error();
    STACK_OF(PKCS7) *safes = PKCS12_unpack_authsafes(p12);
    if (safes == NULL)
        return FAILED;
    for (int i = 0; i < sk_PKCS7_num(safes); i++)
        add_safe(a, sk_PKCS7_value(safes, i));
    sk_PKCS7_pop_free(safes, PKCS7_free);
    return a->locked ? WRONG_PASSPHRASE : OPENED;
}

static void move(struct credential_parts *from, struct credential_parts *to)
{
    while (sk_X509_num(from->certificates) > 0)
        (void)sk_X509_push(to->certificates, sk_X509_shift(from->certificates));
    for (size_t i = 0; i < from->nkeys; i++)
        credential_take_key(from->keys[i], to);
    from->nkeys = 0;
}

/* Takes all or nothing. passphrase.p NULL: none. *errors: why it could not be decrypted. */
static enum outcome try_passphrase(PKCS12 *p12, struct slice passphrase, bool wants_keys,
                                   struct credential_parts *parts, struct key_errors *errors)
{
    enum outcome outcome = FAILED;

    for (int attempt = 0; attempt < 2; attempt++) {
        struct credential_parts found = {.certificates = sk_X509_new_null()};
        struct attempt a = {passphrase.p, (int)passphrase.n, wants_keys, &found, false};
        outcome = try_once(p12, &a);
        *errors = credential_take_errors();
        if (outcome == OPENED)
            move(&found, parts);
        credential_parts_free(&found);
        if (outcome == OPENED || !errors->unsupported || attempt > 0 || !credential_use_legacy())
            break;
    }
    return outcome;
}

/* ---- choosing the passphrase ---- */

/* There are two ways to write an empty passphrase; both are tried. */
static enum outcome try_without(PKCS12 *p12, bool wants_keys, struct credential_parts *parts,
                                struct key_errors *errors)
{
    enum outcome outcome = try_passphrase(p12, (struct slice){NULL, 0}, wants_keys, parts, errors);

    return outcome == OPENED || errors->unsupported
               ? outcome
               : try_passphrase(p12, SLICE(""), wants_keys, parts, errors);
}

static enum status explain(const struct credential_reading *r, const struct key_errors *e,
                           struct diag *why)
{
    if (e->unsupported)
        diag_at(why, r->path,
                "is encrypted in an old way that this OpenSSL cannot read; convert it: "
                "openssl pkcs12 -legacy -in %s -out new.pem",
                r->path);
    else
        diag_at(why, r->path,
                "the passphrase does not open the PKCS#12 file; check the passphrase%s",
                credential_passphrase_flaw(&r->opener->passphrase));
    return e->unsupported ? ST_BAD_INPUT : ST_LOCKED;
}

enum status credential_read_pkcs12(const struct credential_reading *r, PKCS12 *p12,
                                   struct diag *why)
{
    bool wants_keys = r->wish != KEY_UNWANTED;
    struct key_errors errors;
    enum outcome outcome = try_without(p12, wants_keys, r->parts, &errors);

    if (outcome == OPENED)
        return ST_OK;
    if (outcome == FAILED) {
        diag_at(why, r->path, "the PKCS#12 file is damaged (%s); export it again",
                errors.text == NULL ? "it has no contents" : errors.text);
        return ST_BAD_INPUT;
    }
    if (credential_has_passphrase(r->opener, r->path)) {
        outcome =
            try_passphrase(p12, buf_slice(&r->opener->passphrase), wants_keys, r->parts, &errors);
        return outcome == OPENED ? ST_OK : explain(r, &errors, why);
    }
    if (errors.unsupported)
        return explain(r, &errors, why);
    if (r->wish == KEY_IF_OPEN && try_without(p12, false, r->parts, &errors) == OPENED) {
        r->parts->key_locked = true; /* only the certificates are not encrypted */
        return ST_OK;
    }
    return credential_lacks_passphrase(r->path, "the PKCS#12 file", why);
}
