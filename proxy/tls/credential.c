#include "tls/credential.h"

#include <stdlib.h>

#include <openssl/x509v3.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "tls/credential_parts.h"
#include "tls/error.h"
#include "tls/names.h"

/* ---- life ---- */

struct credential *credential_new(void)
{
    struct credential *c = NEW(struct credential);

    atomic_init(&c->refs, 1);
    c->chain = sk_X509_new_null();
    c->unsent = sk_X509_new_null();
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
    if (c->holds_key)
        credential_keys_release(c->key);
    EVP_PKEY_free(c->key);
    X509_free(c->leaf);
    sk_X509_pop_free(c->chain, X509_free);
    sk_X509_pop_free(c->unsent, X509_free);
    for (size_t i = 0; i < c->nfindings; i++)
        free(c->findings[i].sentence);
    free(c->findings);
    free(c->subject);
    free(c);
}

/* ---- facts ---- */

bool credential_is_self_issued(const X509 *x)
{
    return X509_NAME_cmp(X509_get_subject_name(x), X509_get_issuer_name(x)) == 0;
}

void credential_note_facts(struct credential *c)
{
    (void)X509_digest(c->leaf, EVP_sha256(), c->fingerprint, NULL);
    c->not_before = names_seconds(X509_get0_notBefore(c->leaf));
    c->not_after = names_seconds(X509_get0_notAfter(c->leaf));
    free(c->subject);
    c->subject = names_text(X509_get_subject_name(c->leaf));
}

/* ---- findings ---- */

void credential_find(struct credential *c, enum finding_level level, char *sentence)
{
    c->findings = mem_grow(c->findings, (c->nfindings + 1) * sizeof(c->findings[0]));
    c->findings[c->nfindings++] = (struct finding){level, ABOUT_OTHER, utf8_escape(sentence)};
    free(sentence);
}

/* ---- use ---- */

enum status credential_apply(const struct credential *c, SSL_CTX *context, struct diag *why)
{
    SSL_CTX_set_mode(context, SSL_MODE_NO_AUTO_CHAIN); /* sends only the chain that the file has */
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

char *credential_common_name(const struct credential *c)
{
    const X509_NAME *subject = X509_get_subject_name(c->leaf);
    int last = -1, at = -1;
    unsigned char *text = NULL;

    while ((at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0)
        last = at;
    int n = last < 0 ? 0
                     : ASN1_STRING_to_UTF8(
                           &text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, last)));
    char *name = mem_copy_bytes(n > 0 ? (const char *)text : "", n > 0 ? (size_t)n : 0);
    OPENSSL_free(text);
    return name;
}

int64_t credential_not_before(const struct credential *c)
{
    return c->not_before;
}

int64_t credential_not_after(const struct credential *c)
{
    return c->not_after;
}

int64_t credential_look_again(const struct credential *c)
{
    return c->look_again;
}

bool credential_is_valid(const struct credential *c, int64_t now)
{
    return c->not_before <= now && now <= c->not_after;
}

const X509 *credential_leaf(const struct credential *c)
{
    return c->leaf;
}

const X509 *credential_top(const struct credential *c)
{
    int length = credential_chain_length(c);

    return length == 0 ? c->leaf : sk_X509_value(c->chain, length - 1);
}

int credential_chain_length(const struct credential *c)
{
    return sk_X509_num(c->chain);
}

char *credential_chain_subject(const struct credential *c, int i)
{
    return names_text(X509_get_subject_name(sk_X509_value(c->chain, i)));
}

char *credential_chain_issuer(const struct credential *c)
{
    int n = sk_X509_num(c->chain);

    return names_text(X509_get_issuer_name(n == 0 ? c->leaf : sk_X509_value(c->chain, n - 1)));
}

char *credential_issuer(const struct credential *c)
{
    return names_text(X509_get_issuer_name(c->leaf));
}

char *credential_public_key_type(const X509_PUBKEY *public_key)
{
    const EVP_PKEY *key = X509_PUBKEY_get0(public_key);
    const char *type = key == NULL ? NULL : EVP_PKEY_get0_type_name(key);

    return type == NULL ? mem_copy_string("unknown")
                        : mem_format("%s %d", type, EVP_PKEY_get_bits(key));
}

char *credential_key_type(const struct credential *c)
{
    return credential_public_key_type(X509_get_X509_PUBKEY(c->leaf));
}

enum credential_key credential_key_state(const struct credential *c)
{
    return c->key != NULL  ? CREDENTIAL_KEY_OPEN
           : c->key_locked ? CREDENTIAL_KEY_LOCKED
                           : CREDENTIAL_KEY_ABSENT;
}

const struct finding *credential_findings(const struct credential *c, size_t *count)
{
    *count = c->nfindings;
    return c->findings;
}

void credential_digest(const struct credential *c, struct buf *out)
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    buf_add(out, (const char *)c->fingerprint, sizeof(c->fingerprint));
    for (int i = 0; i < sk_X509_num(c->chain); i++)
        if (X509_digest(sk_X509_value(c->chain, i), EVP_sha256(), digest, &n) == 1)
            buf_add(out, (const char *)digest, n);
}
