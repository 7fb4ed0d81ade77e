#include "tls/error.h"

#include <string.h>

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <openssl/x509_vfy.h>

#include "tls/report.h"
#include "tls/verify.h"

const char *tls_reason_text(unsigned long code)
{
    const char *reason = code == 0                ? NULL
                         : ERR_SYSTEM_ERROR(code) ? strerror(ERR_GET_REASON(code))
                                                  : ERR_reason_error_string(code);

    return reason == NULL ? "unknown error" : reason;
}

const char *tls_error_text(void)
{
    const char *reason = tls_reason_text(ERR_get_error());

    ERR_clear_error();
    return reason;
}

/* The meaning of the alerts with which a server refuses our certificate (RFC 8446, 6.2); NULL:
 * another alert. */
static const char *refusal_text(int alert)
{
    switch (alert) {
    case SSL_AD_BAD_CERTIFICATE:
        return "it is corrupt or its signature cannot be verified (bad_certificate)";
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
        return "it is of a kind the server does not support (unsupported_certificate)";
    case SSL_AD_CERTIFICATE_REVOKED:
        return "it was revoked (certificate_revoked)";
    case SSL_AD_CERTIFICATE_EXPIRED:
        return "it is expired or not valid yet (certificate_expired)";
    case SSL_AD_CERTIFICATE_UNKNOWN:
        return "the server does not accept it (certificate_unknown)";
    case SSL_AD_UNKNOWN_CA:
        return "the server does not know its CA, or the chain is incomplete (unknown_ca)";
    case SSL_AD_ACCESS_DENIED:
        return "it is valid, but not allowed in (access_denied)";
    case SSL_AD_CERTIFICATE_REQUIRED:
        return "the server asked for one and got none (certificate_required)";
    default:
        return NULL;
    }
}

/* blamed: see struct tls_report. place: where the issuer was searched for. */
static void explain_trust(long result, const char *blamed, const char *place, const char *host,
                          struct failure *why)
{
    switch (result) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        failure_set(why, FAIL_SERVER_UNTRUSTED,
                    "The certificate of %s is signed by itself (%s) and is not %s.", host, blamed,
                    place);
        break;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        failure_set(why, FAIL_SERVER_UNTRUSTED,
                    "The certificate of %s leads to the root %s, which is not %s.", host, blamed,
                    place);
        break;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        failure_set(why, FAIL_SERVER_UNTRUSTED,
                    "The certificate of %s was issued by %s, whose certificate is not %s and was "
                    "not sent by the server.",
                    host, blamed, place);
        break;
    default:
        failure_set(why, FAIL_SERVER_UNTRUSTED, "The certificate of %s is not trusted: %s.", host,
                    X509_verify_cert_error_string(result));
    }
}

static void explain_verification(long result, const char *blamed, const char *place,
                                 const char *host, struct failure *why)
{
    const char *text = X509_verify_cert_error_string(result);

    switch (result) {
    case X509_V_ERR_CERT_REVOKED:
        failure_set(why, FAIL_SERVER_REVOKED, "The certificate of %s was revoked %s.", host,
                    blamed);
        break;
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_CRL_NOT_YET_VALID:
    case X509_V_ERR_CRL_SIGNATURE_FAILURE:
    case X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE:
    case X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD:
    case X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD:
    case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
    case X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
    case X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION:
    case X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
        failure_set(
            why, FAIL_SERVER_CRL,
            "The revocation list that decides about the certificate of %s cannot be used: %s "
            "(%s).",
            host, text, blamed);
        break;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        failure_set(why, FAIL_SERVER_EXPIRED, "The certificate of %s is not valid now: %s.", host,
                    *blamed == '\0' ? text : blamed);
        break;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
        failure_set(why, FAIL_SERVER_WRONG_HOST,
                    "The certificate that %s presented is made out to %s.", host,
                    *blamed == '\0' ? "another name" : blamed);
        break;
    default:
        explain_trust(result, blamed, place, host, why);
    }
}

static void explain_end(bool handshake_done, const char *host, struct failure *why)
{
    if (handshake_done)
        failure_set(why, FAIL_UPSTREAM_CLOSED,
                    "%s cut the connection off without ending TLS properly.", host);
    else
        failure_set(why, FAIL_TLS, "%s closed the connection during the TLS handshake.", host);
}

/* Notes the reason in the report, from which the cause is found. */
static void note_reason(struct tls_report *report, int reason)
{
    report->is_not_tls = reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_HTTP_REQUEST ||
                         reason == SSL_R_PACKET_LENGTH_TOO_LONG;
    report->is_too_old =
        reason == SSL_R_UNSUPPORTED_PROTOCOL || reason == SSL_R_TLSV1_ALERT_PROTOCOL_VERSION;
    if (reason > SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256)
        report->alert = reason - SSL_AD_REASON_OFFSET;
}

static void explain_code(bool handshake_done, unsigned long code, struct tls_report *report,
                         const char *host, struct failure *why)
{
    int reason = ERR_GET_REASON(code);

    note_reason(report, reason);
    const char *refused = refusal_text(reason - SSL_AD_REASON_OFFSET);

    if (refused != NULL)
        failure_set(why, FAIL_CERTIFICATE_REFUSED, "%s refused the client certificate: %s.", host,
                    refused);
    else if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING)
        explain_end(handshake_done, host, why);
    else if (report->is_not_tls)
        failure_set(why, FAIL_TLS, "%s does not speak TLS on this port.", host);
    else
        failure_set(why, FAIL_TLS, "TLS with %s failed: %s.", host, tls_reason_text(code));
}

/* NULL for a caller's connection. */
static struct tls_report *report_of(const SSL *ssl)
{
    return SSL_is_server(ssl) == 1 ? NULL : SSL_get_app_data(ssl);
}

void tls_explain(const SSL *ssl, bool handshake_done, const char *host, struct failure *why)
{
    unsigned long code = ERR_get_error();
    long verified = SSL_get_verify_result(ssl);
    struct tls_report none = {0}, *report = report_of(ssl);
    char place[256];

    if (report == NULL)
        report = &none;

    ERR_clear_error();
    if (code != 0 && ERR_GET_LIB(code) == ERR_LIB_SSL &&
        ERR_GET_REASON(code) == SSL_R_CERTIFICATE_VERIFY_FAILED && verified != X509_V_OK)
        explain_verification(verified, report->blamed, verify_place(ssl, place, sizeof(place)),
                             host, why);
    else if (code != 0 && ERR_GET_LIB(code) == ERR_LIB_SSL)
        explain_code(handshake_done, code, report, host, why);
    else if (code != 0)
        failure_set(why, FAIL_TLS, "TLS with %s failed: %s.", host, tls_reason_text(code));
    else
        explain_end(handshake_done, host, why);
}
