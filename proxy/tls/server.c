#include "tls/server.h"

#include "tls/error.h"

enum status tls_server_new(const struct credential *c, const struct trust *t, SSL_CTX **out,
                           struct diag *why)
{
    static const unsigned char session_context[] = "sfmtls";
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());

    if (context == NULL) {
        diag_set(why, "cannot set up TLS: %s", tls_error_text());
        return ST_SYSTEM;
    }
    (void)SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    (void)SSL_CTX_set_session_id_context(context, session_context, sizeof(session_context) - 1);
    trust_apply(t, context);
    enum status st = credential_apply(c, context, why);
    if (st != ST_OK) {
        SSL_CTX_free(context);
        return st;
    }
    *out = context;
    return ST_OK;
}
