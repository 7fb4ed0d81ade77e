#include "tls/verify.h"

#include <stdio.h>
#include <stdlib.h>

#include <openssl/x509v3.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "tls/report.h"
#include "tls/names.h"

static SSL *ssl_of(const X509_STORE_CTX *ctx)
{
    return X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
}

/* Notes the text. Takes ownership of text. */
static void blame(struct tls_report *report, char *text)
{
    (void)snprintf(report->blamed, sizeof(report->blamed), "%s", text);
    free(text);
}

static char *names_of_leaf(const X509_STORE_CTX *ctx)
{
    char *names = names_alternative(X509_STORE_CTX_get0_cert(ctx));

    if (*names != '\0')
        return names;
    free(names);
    return mem_copy_string("no name: it has no host name or address in subjectAltName, and the CN "
                           "of its subject does not count");
}

static void date_text(const ASN1_TIME *t, char out[CLOCK_TEXT_SIZE])
{
    clock_text_s(names_seconds(t), out);
}

/* Describes the certificate, and when it was revoked. */
static char *revoked_text(const X509_STORE_CTX *ctx)
{
    X509 *x = X509_STORE_CTX_get_current_cert(ctx);
    X509_REVOKED *entry = NULL;
    char date[CLOCK_TEXT_SIZE] = "";
    struct buf serial = {0};
    char *subject = names_text(X509_get_subject_name(x)),
         *issuer = names_text(X509_get_issuer_name(x));

    if (X509_CRL_get0_by_cert(X509_STORE_CTX_get0_current_crl(ctx), &entry, x) != 0)
        date_text(X509_REVOKED_get0_revocationDate(entry), date);
    names_add_serial(&serial, X509_get0_serialNumber(x));
    char *text = mem_format("on %.10s by %s (%s, serial number %.*s)", date, issuer, subject,
                            (int)serial.n, serial.p);
    buf_free(&serial);
    free(subject);
    free(issuer);
    return text;
}

/* Describes the list, and until when it was valid. */
static char *crl_text(const X509_STORE_CTX *ctx)
{
    const X509_CRL *crl = X509_STORE_CTX_get0_current_crl(ctx);
    char end[CLOCK_TEXT_SIZE] = "";

    if (crl == NULL)
        return mem_copy_string("unknown");
    char *issuer = names_text(X509_CRL_get_issuer(crl));
    if (X509_CRL_get0_nextUpdate(crl) != NULL)
        date_text(X509_CRL_get0_nextUpdate(crl), end);
    char *text = mem_format("%s%s%.10s", issuer, *end == '\0' ? "" : ", good until ", end);
    free(issuer);
    return text;
}

/* Logs it once for each client of a tenant, not for each connection. */
static void tell_missing(SSL *ssl, X509_STORE_CTX *ctx)
{
    struct verify *v = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

    if (atomic_exchange(&v->lacks_crl, true))
        return;
    char *issuer = names_text(X509_get_issuer_name(X509_STORE_CTX_get_current_cert(ctx)));
    log_say(
        LOG_WARNING,
        "%s: no revocation list covers its certificate, which %s issued, so that is not checked "
        "for revocation; add the CRL of that CA to crl-file",
        v->host, issuer);
    free(issuer);
}

/* Describes the certificate, with the beginning or the end of its validity. */
static char *dates_text(const X509_STORE_CTX *ctx, bool has_ended)
{
    const X509 *x = X509_STORE_CTX_get_current_cert(ctx);
    char date[CLOCK_TEXT_SIZE] = "", *subject = names_text(X509_get_subject_name(x));

    date_text(has_ended ? X509_get0_notAfter(x) : X509_get0_notBefore(x), date);
    char *text = mem_format("%s %s on %.10s", subject, has_ended ? "ended" : "begins", date);
    free(subject);
    return text;
}

/* True if the certificate came without a chain, and says where its issuer's certificate can be
 * fetched (RFC 5280, 4.2.2.1). Public CAs say that, and always issue from intermediates. */
static bool is_alone(const X509_STORE_CTX *ctx)
{
    STACK_OF(ACCESS_DESCRIPTION) * places;
    bool named = false;

    if (X509_STORE_CTX_get_error_depth(ctx) > 0 ||
        sk_X509_num(X509_STORE_CTX_get0_untrusted(ctx)) > 1)
        return false;
    places = X509_get_ext_d2i(X509_STORE_CTX_get0_cert(ctx), NID_info_access, NULL, NULL);
    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(places); i++)
        named |= OBJ_obj2nid(sk_ACCESS_DESCRIPTION_value(places, i)->method) == NID_ad_ca_issuers;
    AUTHORITY_INFO_ACCESS_free(places);
    return named;
}

static enum tls_flaw flaw_of(const X509_STORE_CTX *ctx, int error)
{
    switch (error) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        return TLS_FLAW_SELF_SIGNED;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return is_alone(ctx) ? TLS_FLAW_CHAIN_SHORT : TLS_FLAW_ISSUER_UNKNOWN;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return TLS_FLAW_ISSUER_UNKNOWN;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return TLS_FLAW_NOT_YET_VALID;
    default:
        return TLS_FLAW_NONE;
    }
}

static void remember(struct tls_report *report, const X509_STORE_CTX *ctx, int error)
{
    const X509 *x = X509_STORE_CTX_get_current_cert(ctx);

    report->flaw = flaw_of(ctx, error);
    if (error == X509_V_ERR_CERT_HAS_EXPIRED || error == X509_V_ERR_CERT_NOT_YET_VALID)
        blame(report, dates_text(ctx, error == X509_V_ERR_CERT_HAS_EXPIRED));
    else if (report->flaw != TLS_FLAW_NONE)
        blame(report, names_text(X509_get_issuer_name(x)));
    else if (error == X509_V_ERR_HOSTNAME_MISMATCH || error == X509_V_ERR_IP_ADDRESS_MISMATCH)
        blame(report, names_of_leaf(ctx));
    else if (error == X509_V_ERR_CERT_REVOKED)
        blame(report, revoked_text(ctx));
    else if (X509_STORE_CTX_get0_current_crl(ctx) != NULL)
        blame(report, crl_text(ctx));
}

static int on_result(int ok, X509_STORE_CTX *ctx)
{
    SSL *ssl = ssl_of(ctx);
    struct tls_report *report = SSL_get_app_data(ssl);
    int error = X509_STORE_CTX_get_error(ctx);

    if (ok == 1)
        return 1;
    if (error == X509_V_ERR_UNABLE_TO_GET_CRL || error == X509_V_ERR_DIFFERENT_CRL_SCOPE) {
        tell_missing(ssl, ctx);
        X509_STORE_CTX_set_error(ctx, X509_V_OK);
        return 1;
    }
    if (report != NULL)
        remember(report, ctx, error);
    return 0;
}

const char *verify_place(const SSL *ssl, char *room, size_t size)
{
    const struct verify *v = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));

    if (v == NULL || v->ca_file == NULL)
        return "among the system's roots";
    (void)snprintf(room, size, "in %s", v->ca_file);
    return room;
}

void verify_attach(struct verify *v, SSL_CTX *context)
{
    atomic_init(&v->lacks_crl, false);
    SSL_CTX_set_app_data(context, v);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, on_result);
}
