#include "caller/inside.h"

#include <stdlib.h>

#include "base/mem.h"
#include "tls/secret.h"

enum { RECORD_HANDSHAKE = 0x16 }; /* the first byte of a TLS handshake (RFC 8446, 5.1) */

struct inside *inside_new(const char *host, int port, struct slice token, SSL_CTX *tls)
{
    struct inside *in = NEW(struct inside);

    in->is.target = (struct authority){.host = slice_of(mem_copy_string(host)), .port = port};
    if (token.p != NULL)
        in->is.token = (struct slice){mem_copy_bytes(token.p, token.n), token.n};
    in->tls = tls;
    return in;
}

void inside_free(struct inside *in)
{
    if (in == NULL)
        return;
    free((char *)(uintptr_t)in->is.target.host.p);
    if (in->is.token.p != NULL)
        secret_wipe((char *)(uintptr_t)in->is.token.p, in->is.token.n);
    free((char *)(uintptr_t)in->is.token.p);
    SSL_CTX_free(in->tls);
    free(in);
}

bool inside_begin(struct inside *in, struct slice bytes)
{
    in->begun = true;
    in->is.secure = bytes.n > 0 && bytes.p[0] == RECORD_HANDSHAKE;
    return in->is.secure;
}

void inside_note_handshake(struct inside *in, const SSL *ssl)
{
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    in->ready = true;
    in->is.misnamed = name != NULL && !authority_host_eq(in->is.target.host, slice_of(name));
}

void inside_explain(const struct inside *in, const struct failure *tls, struct failure *out)
{
    struct slice host = in->is.target.host;

    if (tls->id == FAIL_CERTIFICATE_REFUSED)
        failure_set(out, FAIL_CALLER_TLS,
                    "The caller does not accept the certificate that the local CA made for %.*s.",
                    (int)host.n, host.p);
    else
        failure_set(out, FAIL_CALLER_TLS, "In a CONNECT to %.*s: %s", (int)host.n, host.p,
                    tls->detail.text);
}
