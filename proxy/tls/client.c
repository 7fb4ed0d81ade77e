#include "tls/client.h"

#include <arpa/inet.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <openssl/x509v3.h>

#include "base/mem.h"
#include "tls/ciphers.h"
#include "tls/error.h"
#include "tls/session.h"
#include "tls/verify.h"

struct tls_client {
    atomic_int refs;
    SSL_CTX *context;
    char *host, *ca_file;
    bool host_is_address;
    struct verify verify;
};

/* OpenSSL calls this only if the server has asked for a certificate. */
static int on_certificate_request(SSL *ssl, void *arg)
{
    struct tls_report *report = SSL_get_app_data(ssl);

    (void)arg;
    if (report != NULL)
        report->requested = true;
    return 1;
}

static int on_new_session(SSL *ssl, SSL_SESSION *session)
{
    struct tls_report *report = SSL_get_app_data(ssl);

    if (report == NULL || report->sessions == NULL)
        return 0;
    return tls_sessions_put(report->sessions, session, tls_report_requested(report, ssl)) ? 1 : 0;
}

bool tls_report_requested(const struct tls_report *report, const SSL *ssl)
{
    return report->requested || (SSL_session_reused(ssl) == 1 && report->requested_before);
}

static void configure(SSL_CTX *context)
{
    static const unsigned char alpn[] = "\x08http/1.1";

    (void)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    ciphers_order(context);
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_cert_cb(context, on_certificate_request, NULL);
    /* Some servers ask for a certificate only when they know the path: with TLS 1.2 they negotiate
     * anew, which OpenSSL permits as RFC 5746 does it. */
    SSL_CTX_set_post_handshake_auth(context, 1);
    (void)SSL_CTX_set_alpn_protos(context, alpn, sizeof(alpn) - 1);
    (void)SSL_CTX_set_session_cache_mode(context,
                                         SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, on_new_session);
}

static bool is_address(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

enum status tls_client_new(const struct credential *c, const struct trust *t, const char *host,
                           struct tls_client **out, struct diag *why)
{
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());

    if (context == NULL) {
        diag_set(why, "cannot set up TLS: %s", tls_error_text());
        return ST_SYSTEM;
    }
    configure(context);
    trust_apply(t, context);
    enum status st = credential_apply(c, context, why);
    if (st != ST_OK) {
        SSL_CTX_free(context);
        return st;
    }
    struct tls_client *client = NEW(struct tls_client);
    atomic_init(&client->refs, 1);
    client->context = context;
    client->host = mem_copy_string(host);
    client->host_is_address = is_address(host);
    client->ca_file = mem_copy_string(trust_path(t));
    client->verify.host = client->host;
    client->verify.ca_file = client->ca_file;
    verify_attach(&client->verify, context);
    *out = client;
    return ST_OK;
}

struct tls_client *tls_client_ref(struct tls_client *c)
{
    atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

void tls_client_unref(struct tls_client *c)
{
    if (c == NULL || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) > 1)
        return;
    SSL_CTX_free(c->context);
    free(c->host);
    free(c->ca_file);
    free(c);
}

SSL *tls_client_connect(const struct tls_client *c, struct tls_report *report)
{
    SSL *ssl = SSL_new(c->context);

    if (ssl == NULL)
        abort(); /* no memory: see mem.h */
    SSL_set_app_data(ssl, report);
    if (c->host_is_address) {
        (void)X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), c->host);
    } else {
        (void)SSL_set_tlsext_host_name(ssl, c->host);
        /* RFC 9525: a wildcard has to be the whole first label (6.3), and the subject is ignored
         * (2). */
        SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
                                   X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
        (void)SSL_set1_host(ssl, c->host);
    }
    if (report->sessions != NULL) {
        SSL_SESSION *session = tls_sessions_take(report->sessions, &report->requested_before);
        if (session != NULL) {
            (void)SSL_set_session(ssl, session);
            SSL_SESSION_free(session);
        }
    }
    SSL_set_connect_state(ssl);
    return ssl;
}

void tls_client_detach(SSL *ssl)
{
    SSL_set_app_data(ssl, NULL);
}
