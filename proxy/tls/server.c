#include "tls/server.h"

#include "tls/error.h"

static SSL_CTX *context_new(struct diag *why)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    if (context == NULL) {
        diag_set(why, "cannot set up TLS: %s", tls_error_text());
        return NULL;
    }
    (void)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    return context;
}

static enum status present(SSL_CTX *context, const struct credential *c, SSL_CTX **out,
                           struct diag *why)
{
    enum status st = credential_apply(c, context, why);

    if (st == ST_OK)
        *out = context;
    else
        SSL_CTX_free(context);
    return st;
}

enum status tls_server_new(const struct credential *c, const struct trust *t, SSL_CTX **out,
                           struct diag *why)
{
    static const unsigned char session_context[] = "sfmtls";
    SSL_CTX *context = context_new(why);

    if (context == NULL)
        return ST_SYSTEM;
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    (void)SSL_CTX_set_session_id_context(context, session_context, sizeof(session_context) - 1);
    trust_apply(t, context);
    return present(context, c, out, why);
}

/* A caller that offers only HTTP/2 gets an alert (RFC 7301, 3.2), and is not misunderstood. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *length,
                           const unsigned char *offered, unsigned n, void *arg)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen;

    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto(&chosen, length, ours, sizeof(ours) - 1, offered, n) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

enum status tls_server_open(const struct credential *c, SSL_CTX **out, struct diag *why)
{
    SSL_CTX *context = context_new(why);

    if (context == NULL)
        return ST_SYSTEM;
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    /* session tickets are enough */
    (void)SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    return present(context, c, out, why);
}
