#include <stdlib.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tls/credential_parts.h"
#include "tls/names.h"

enum {
    SOON_DAYS = 30,
    LEAST_RSA_BITS = 2048,
    COSTLY_RSA_BITS = 4096,
    LEAST_EC_BITS = 224,
};

/* ---- dates ---- */

static void judge_dates(struct credential *c, int64_t now)
{
    char start[CLOCK_TEXT_SIZE], end[CLOCK_TEXT_SIZE];
    long long left = (long long)(c->not_after - now) / SECONDS_PER_DAY;

    clock_text_s(c->not_before, start);
    clock_text_s(c->not_after, end);
    if (now > c->not_after)
        credential_find(c, FINDING_ERROR,
                        mem_format("the certificate expired on %.10s; have it renewed", end));
    else if (now < c->not_before)
        credential_find(c, FINDING_ERROR,
                        mem_format("the certificate is not valid before %.10s; wait until then, or "
                                   "set the clock of this machine",
                                   start));
    else if (left < SOON_DAYS)
        credential_find(
            c, FINDING_WARNING,
            mem_format("the certificate expires on %.10s, in %lld days; have it renewed", end,
                       left));
}

static void judge_chain_dates(struct credential *c, int64_t now)
{
    for (int i = 0; i < sk_X509_num(c->chain); i++) {
        X509 *x = sk_X509_value(c->chain, i);
        if (now <= names_seconds(X509_get0_notAfter(x)))
            continue;
        char *name = names_text(X509_get_subject_name(x));
        credential_find(c, FINDING_WARNING,
                        mem_format("the chain's certificate %s has expired; put the renewed one of "
                                   "the CA into the file",
                                   name));
        free(name);
    }
}

/* ---- usage ---- */

static void judge_usage(struct credential *c)
{
    uint32_t flags = X509_get_extension_flags(c->leaf);

    if ((flags & EXFLAG_XKUSAGE) != 0 &&
        (X509_get_extended_key_usage(c->leaf) & (XKU_SSL_CLIENT | XKU_ANYEKU)) == 0)
        credential_find(
            c, FINDING_ERROR,
            mem_format("the certificate is not meant for clients (its extended key usage "
                       "lacks clientAuth); have one issued with clientAuth"));
    if ((flags & EXFLAG_KUSAGE) != 0 &&
        (X509_get_key_usage(c->leaf) & X509v3_KU_DIGITAL_SIGNATURE) == 0)
        credential_find(c, FINDING_WARNING,
                        mem_format("the certificate's key usage lacks digitalSignature, which TLS "
                                   "clients need; have one issued with it"));
    if (X509_check_ca(c->leaf) == 1)
        credential_find(c, FINDING_WARNING,
                        mem_format("the certificate is that of a CA; use one that was issued to a "
                                   "user"));
}

/* ---- the chain ---- */

static bool is_issued_by_one_of(X509 *x, STACK_OF(X509) * all)
{
    for (int i = 0; i < sk_X509_num(all); i++)
        if (X509_check_issued(sk_X509_value(all, i), x) == X509_V_OK)
            return true;
    return false;
}

/* Has it the key or name of the leaf, the name of a certificate of the chain, or one of these as
 * issuer? A former or next certificate has. */
static bool is_relative(const struct credential *c, X509 *x)
{
    const X509_NAME *name = X509_get_subject_name(x);
    bool found = X509_NAME_cmp(name, X509_get_subject_name(c->leaf)) == 0 ||
                 EVP_PKEY_eq(X509_get0_pubkey(x), X509_get0_pubkey(c->leaf)) == 1;

    for (int i = 0; !found && i < sk_X509_num(c->chain); i++) {
        X509 *member = sk_X509_value(c->chain, i);
        found = X509_NAME_cmp(name, X509_get_subject_name(member)) == 0 ||
                X509_check_issued(member, x) == X509_V_OK;
    }
    return found;
}

/* What a certificate says about its issuer. */
enum issuer { ISSUER_UNKNOWN, ISSUER_IS_ROOT, ISSUER_IS_INTERMEDIATE };

/* authorityCertIssuer names the issuer's own issuer (RFC 5280, 4.2.1.1). */
static enum issuer issuer_of(const X509 *x)
{
    AUTHORITY_KEYID *id = X509_get_ext_d2i(x, NID_authority_key_identifier, NULL, NULL);
    enum issuer found = ISSUER_UNKNOWN;

    for (int i = 0; id != NULL && i < sk_GENERAL_NAME_num(id->issuer); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(id->issuer, i);
        if (name->type == GEN_DIRNAME)
            found = X509_NAME_cmp(name->d.directoryName, X509_get_issuer_name(x)) == 0
                        ? ISSUER_IS_ROOT
                        : ISSUER_IS_INTERMEDIATE;
    }
    AUTHORITY_KEYID_free(id);
    return found;
}

/* loose: the file has certificates that are not sent, so a link of the chain may be missing. */
static void judge_end(struct credential *c, const X509 *top, bool loose)
{
    enum issuer kind = issuer_of(top);
    bool certain = kind == ISSUER_IS_INTERMEDIATE;

    if (kind == ISSUER_IS_ROOT || (!certain && top != c->leaf && !loose))
        return;
    char *issuer = names_text(X509_get_issuer_name(top));
    credential_find(
        c, FINDING_WARNING,
        mem_format(certain
                       ? "the certificate of the issuer %s, an intermediate CA, is not in the "
                         "file; append it, or servers that do not have it refuse the certificate"
                       : "the certificate of the issuer %s is not in the file; if that is an "
                         "intermediate CA, append it, or servers that do not have it refuse the "
                         "certificate; if it is the root that the server knows, nothing is "
                         "missing",
                   issuer));
    c->findings[c->nfindings - 1].about_issuer = !certain;
    free(issuer);
}

static void judge_chain(struct credential *c)
{
    int length = sk_X509_num(c->chain), roots = 0, strangers = 0, relatives = 0;
    X509 *top = length == 0 ? c->leaf : sk_X509_value(c->chain, length - 1);

    for (int i = 0; i < sk_X509_num(c->unsent); i++) {
        X509 *x = sk_X509_value(c->unsent, i);
        if (credential_is_self_issued(x))
            roots++;
        else if (is_relative(c, x))
            relatives++;
        else
            strangers++;
    }
    if (credential_is_self_issued(c->leaf)) {
        credential_find(
            c, FINDING_WARNING,
            mem_format("the certificate is self-signed; servers accept one only if it was "
                       "uploaded to them"));
    } else if (!is_issued_by_one_of(top, c->unsent)) {
        judge_end(c, top, strangers + roots > 0);
    }
    if (roots > 0)
        credential_find(
            c, FINDING_NOTE,
            mem_format("the file holds a root, which is not sent: the server has its own; "
                       "nothing to do"));
    if (relatives > 0)
        credential_find(
            c, FINDING_NOTE,
            mem_format(
                "%d certificate%s in the file %s of the same key, name or CA as the one that "
                "is used, and not sent; take out what is over",
                relatives, relatives == 1 ? "" : "s", relatives == 1 ? "is" : "are"));
    if (strangers > 0)
        credential_find(
            c, FINDING_NOTE,
            mem_format("%d certificates in the file do not belong to the chain and are not "
                       "sent; take them out",
                       strangers));
}

/* ---- strength ---- */

static bool is_weak_digest(int nid)
{
    return nid == NID_sha1 || nid == NID_md5 || nid == NID_md4 || nid == NID_md2;
}

static void judge_strength(struct credential *c)
{
    const EVP_PKEY *key = X509_get0_pubkey(c->leaf);
    int digest = NID_undef, bits = key == NULL ? 0 : EVP_PKEY_get_bits(key);
    bool rsa = key != NULL && EVP_PKEY_is_a(key, "RSA") == 1,
         ec = key != NULL && EVP_PKEY_is_a(key, "EC") == 1;

    if ((rsa && bits < LEAST_RSA_BITS) || (ec && bits < LEAST_EC_BITS))
        credential_find(
            c, FINDING_ERROR,
            mem_format("the key is too weak (%s with %d bits); have a certificate issued "
                       "for P-256 or RSA-2048",
                       rsa ? "RSA" : "EC", bits));
    else if (rsa && bits >= COSTLY_RSA_BITS)
        credential_find(c, FINDING_NOTE,
                        mem_format("an RSA key of %d bits costs some 6 ms of CPU for each new "
                                   "connection; RSA-2048 costs a tenth, P-256 less still",
                                   bits));
    if (!credential_is_self_issued(c->leaf) &&
        X509_get_signature_info(c->leaf, &digest, NULL, NULL, NULL) == 1 && is_weak_digest(digest))
        credential_find(c, FINDING_WARNING,
                        mem_format("the certificate is signed with %s, which many servers refuse; "
                                   "have it issued with SHA-256",
                                   OBJ_nid2sn(digest)));
}

/* Sets the subject of the findings since `from`. */
static void mark(struct credential *c, size_t from, enum finding_about about)
{
    for (; from < c->nfindings; from++)
        c->findings[from].about = about;
}

void credential_judge(struct credential *c, int64_t now)
{
    size_t dates = c->nfindings;
    judge_dates(c, now);
    size_t usage = c->nfindings;
    judge_usage(c);
    size_t chain = c->nfindings;
    judge_chain_dates(c, now);
    judge_chain(c);
    mark(c, dates, ABOUT_DATES);
    mark(c, usage, ABOUT_USAGE);
    mark(c, chain, ABOUT_CHAIN);
    judge_strength(c);
    ERR_clear_error();
}
