/* Chooses the key and the certificates to use if a file holds more than one. */
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "tls/credential_parts.h"
#include "tls/names.h"

/* ---- comparing ---- */

enum rank { EXPIRED, NOT_YET, VALID };

static int64_t begin_of(const X509 *x)
{
    return names_seconds(X509_get0_notBefore(x));
}

static int64_t end_of(const X509 *x)
{
    return names_seconds(X509_get0_notAfter(x));
}

static enum rank rank_of(const X509 *x, int64_t now)
{
    return now > end_of(x) ? EXPIRED : now < begin_of(x) ? NOT_YET : VALID;
}

/* Is a better than b now? A valid one is better than one that is not valid yet, and that is better
 * than an expired one. Of two valid or two expired ones the later end is better, otherwise the
 * earlier beginning. */
static bool is_better(const X509 *a, const X509 *b, int64_t now)
{
    enum rank x = rank_of(a, now), y = rank_of(b, now);

    if (x != y)
        return x > y;
    return x == NOT_YET ? begin_of(a) < begin_of(b) : end_of(a) > end_of(b);
}

/* ---- the leaf ---- */

/* The index of the best certificate with the key's public half; -1: there is none. */
static int find_leaf(const STACK_OF(X509) * all, EVP_PKEY *key, int64_t now)
{
    int best = -1;

    for (int i = 0; i < sk_X509_num(all); i++) {
        X509 *x = sk_X509_value(all, i);
        if (X509_check_private_key(x, key) == 1 &&
            (best < 0 || is_better(x, sk_X509_value(all, best), now)))
            best = i;
    }
    ERR_clear_error();
    return best;
}

/* Notes when another certificate of the key becomes valid, because it may then be the better
 * one. */
static void note_successors(struct credential *c, const STACK_OF(X509) * all, int64_t now)
{
    for (int i = 0; i < sk_X509_num(all); i++) {
        const X509 *x = sk_X509_value(all, i);
        int64_t begin = begin_of(x);
        if (begin > now && EVP_PKEY_eq(X509_get0_pubkey(x), X509_get0_pubkey(c->leaf)) == 1 &&
            (c->look_again == 0 || begin < c->look_again))
            c->look_again = begin;
    }
    ERR_clear_error();
}

bool credential_take_leaf(struct credential *c, STACK_OF(X509) * all, int64_t now)
{
    int best = find_leaf(all, c->key, now);

    if (best < 0)
        return false;
    c->leaf = sk_X509_delete(all, best);
    note_successors(c, all, now);
    return true;
}

static bool is_issuer_of_another(const STACK_OF(X509) * all, int i)
{
    for (int k = 0; k < sk_X509_num(all); k++)
        if (k != i && X509_check_issued(sk_X509_value(all, i), sk_X509_value(all, k)) == X509_V_OK)
            return true;
    return false;
}

void credential_take_lowest(struct credential *c, STACK_OF(X509) * all, int64_t now)
{
    int lowest = -1;

    for (int i = 0; i < sk_X509_num(all); i++) {
        const X509 *x = sk_X509_value(all, i),
                   *other = lowest < 0 ? NULL : sk_X509_value(all, lowest);
        if (is_issuer_of_another(all, i))
            continue;
        if (other == NULL || (EVP_PKEY_eq(X509_get0_pubkey(x), X509_get0_pubkey(other)) == 1 &&
                              is_better(x, other, now)))
            lowest = i;
    }
    ERR_clear_error();
    c->leaf = sk_X509_delete(all, lowest < 0 ? 0 : lowest);
}

/* ---- the chain ---- */

/* The index of the best certificate that may have issued x; -1: there is none. */
static int find_issuer(const STACK_OF(X509) * all, X509 *x, int64_t now)
{
    int best = -1;

    for (int i = 0; i < sk_X509_num(all); i++) {
        X509 *issuer = sk_X509_value(all, i);
        if (!credential_is_self_issued(issuer) && X509_check_issued(issuer, x) == X509_V_OK &&
            (best < 0 || is_better(issuer, sk_X509_value(all, best), now)))
            best = i;
    }
    return best;
}

static bool is_used(const struct credential *c, const X509 *x)
{
    bool used = X509_cmp(x, c->leaf) == 0;

    for (int i = 0; i < sk_X509_num(c->chain); i++)
        used = used || X509_cmp(x, sk_X509_value(c->chain, i)) == 0;
    return used;
}

void credential_take_chain(struct credential *c, STACK_OF(X509) * all, int64_t now)
{
    X509 *below = c->leaf;
    int next;

    while ((next = find_issuer(all, below, now)) >= 0) {
        below = sk_X509_delete(all, next);
        (void)sk_X509_push(c->chain, below);
    }
    while (sk_X509_num(all) > 0) {
        X509 *x = sk_X509_shift(all);
        if (is_used(c, x))
            X509_free(x);
        else
            (void)sk_X509_push(c->unsent, x);
    }
}

/* ---- the key ---- */

static void take_key(struct credential *c, struct credential_parts *parts, size_t i)
{
    c->key = parts->keys[i];
    parts->keys[i] = parts->keys[--parts->nkeys];
}

static enum status refuse_several(const char *path, struct credential_parts *parts, int64_t now,
                                  struct diag *why)
{
    struct buf subjects = {0};
    size_t valid = 0;

    for (size_t i = 0; i < parts->nkeys; i++) {
        int leaf = find_leaf(parts->certificates, parts->keys[i], now);
        const X509 *x = leaf < 0 ? NULL : sk_X509_value(parts->certificates, leaf);
        if (x == NULL || rank_of(x, now) != VALID)
            continue;
        char *subject = names_text(X509_get_subject_name(x));
        buf_addf(&subjects, "%s%s", valid++ == 0 ? "" : "; ", subject);
        free(subject);
    }
    if (valid > 1)
        diag_at(why, path,
                "holds more than one private key with a certificate that is valid now (%.*s); "
                "keep one key and its certificate",
                (int)subjects.n, subjects.p);
    else
        diag_at(why, path,
                "holds more than one private key; keep the one that belongs to the certificate");
    buf_free(&subjects);
    return ST_BAD_INPUT;
}

enum status credential_choose_key(struct credential *c, const char *path,
                                  struct credential_parts *parts, int64_t now, struct diag *why)
{
    size_t count = parts->nkeys, valid = 0, chosen = 0;
    bool paired = true;

    if (count == 1)
        take_key(c, parts, 0);
    if (count <= 1)
        return ST_OK;
    for (size_t i = 0; i < count; i++) {
        int leaf = find_leaf(parts->certificates, parts->keys[i], now);
        paired = paired && leaf >= 0;
        if (leaf < 0 || rank_of(sk_X509_value(parts->certificates, leaf), now) != VALID)
            continue;
        valid++;
        chosen = i;
    }
    if (!paired || valid != 1)
        return refuse_several(path, parts, now, why);
    take_key(c, parts, chosen);
    credential_find(
        c, FINDING_NOTE,
        mem_format("the file holds %zu private keys; the one whose certificate is valid "
                   "now is used, take the others out",
                   count));
    return ST_OK;
}
