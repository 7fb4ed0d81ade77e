#include "tls/crl.h"

#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tls/names.h"

/* ---- signatures ---- */

/* 1: one of the certificates has signed it; 0: only others have its issuer's name; -1: none has
 * that name. */
static int is_signed_by_one_of(X509_CRL *list, const STACK_OF(X509) * certificates)
{
    int found = -1;

    for (int i = 0; found < 1 && i < sk_X509_num(certificates); i++) {
        X509 *x = sk_X509_value(certificates, i);
        if (X509_NAME_cmp(X509_get_subject_name(x), X509_CRL_get_issuer(list)) == 0)
            found = X509_CRL_verify(list, X509_get0_pubkey(x)) == 1 ? 1 : 0;
    }
    ERR_clear_error();
    return found;
}

enum status crl_check_signatures(const char *path, const STACK_OF(X509_CRL) * lists,
                                 const STACK_OF(X509) * certificates, struct diag *why)
{
    for (int i = 0; i < sk_X509_CRL_num(lists); i++) {
        X509_CRL *list = sk_X509_CRL_value(lists, i);
        if (is_signed_by_one_of(list, certificates) != 0)
            continue;
        char *issuer = names_text(X509_CRL_get_issuer(list));
        diag_at(why, path,
                "the revocation list of %s was not signed by the CA of that name that is "
                "trusted; fetch the list again from that CA",
                issuer);
        free(issuer);
        return ST_BAD_INPUT;
    }
    return ST_OK;
}

/* ---- coverage ---- */

static bool is_delta(const X509_CRL *list)
{
    return X509_CRL_get_ext_by_NID(list, NID_delta_crl, -1) >= 0;
}

static bool has_base(const X509_CRL *delta, const STACK_OF(X509_CRL) * lists)
{
    for (int i = 0; i < sk_X509_CRL_num(lists); i++) {
        const X509_CRL *other = sk_X509_CRL_value(lists, i);
        if (!is_delta(other) &&
            X509_NAME_cmp(X509_CRL_get_issuer(other), X509_CRL_get_issuer(delta)) == 0)
            return true;
    }
    return false;
}

/* Is it a list for CA or attribute certificates only (RFC 5280, 5.2.5)? */
static bool is_for_others(const X509_CRL *list)
{
    ISSUING_DIST_POINT *point =
        X509_CRL_get_ext_d2i(list, NID_issuing_distribution_point, NULL, NULL);
    bool others = point != NULL && (point->onlyCA > 0 || point->onlyattr > 0);

    ISSUING_DIST_POINT_free(point);
    return others;
}

static int64_t begin_of(const X509_CRL *list)
{
    return names_seconds(X509_CRL_get0_lastUpdate(list));
}

/* A list without nextUpdate has no end. */
static int64_t end_of(const X509_CRL *list)
{
    const ASN1_TIME *end = X509_CRL_get0_nextUpdate(list);

    return end == NULL ? INT64_MAX : names_seconds(end);
}

/* True if another list of the same CA is valid now, so that this one is not needed. */
static bool is_replaced(const X509_CRL *list, const STACK_OF(X509_CRL) * lists, int64_t now)
{
    for (int i = 0; i < sk_X509_CRL_num(lists); i++) {
        const X509_CRL *other = sk_X509_CRL_value(lists, i);
        if (begin_of(other) <= now && now <= end_of(other) &&
            X509_NAME_cmp(X509_CRL_get_issuer(other), X509_CRL_get_issuer(list)) == 0)
            return true;
    }
    return false;
}

char *crl_judge(const X509_CRL *list, const STACK_OF(X509_CRL) * lists, int64_t now,
                enum finding_level *level)
{
    char *issuer = names_text(X509_CRL_get_issuer(list)), *text = NULL;
    bool early = begin_of(list) > now, late = end_of(list) < now;
    char when[CLOCK_TEXT_SIZE];

    *level = FINDING_WARNING;
    if (is_delta(list) && !has_base(list, lists)) {
        text = mem_format("the revocation list of %s lists changes only (a delta CRL), and without "
                          "the full list it decides nothing; add the full one",
                          issuer);
    } else if (is_for_others(list)) {
        text = mem_format("the revocation list of %s is one of CAs, not of servers, and decides "
                          "nothing here; take the other list of that CA",
                          issuer);
    } else if ((early || late) && !is_replaced(list, lists, now)) {
        clock_text_s(early ? begin_of(list) : end_of(list), when);
        *level = FINDING_ERROR;
        text =
            mem_format("the revocation list of %s %s %.10s, so servers with a certificate of that "
                       "CA are refused; %s",
                       issuer, early ? "is not good before" : "has ended on", when,
                       early ? "check the clock of this machine" : "put the current list there");
    }
    free(issuer);
    return text;
}
