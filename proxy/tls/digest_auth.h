/*
 * digest_auth: what a client says to a challenge of Digest (RFC 7616): MD5 and
 * SHA-256, each also in its -sess form; qop=auth, or none (RFC 2069).
 */
#ifndef TLS_DIGEST_AUTH_H
#define TLS_DIGEST_AUTH_H

#include "base/buf.h"

/* As it was asked; an empty algorithm is MD5. */
struct digest_challenge {
    struct slice realm, nonce, opaque, algorithm;
    bool has_opaque, has_qop, wants_userhash;
};

struct digest_request {
    const char *method, *uri, *user;
    struct slice password;
    unsigned count;     /* of requests with this nonce */
    const char *cnonce; /* NULL: a random one */
};

/* How strong it is; 0: it cannot be used. */
int digest_auth_strength(struct slice algorithm);

/* Appends the value of (Proxy-)Authorization; false if OpenSSL does not do it. */
bool digest_auth_write(struct buf *out, const struct digest_challenge *c,
                       const struct digest_request *r) MUST_CHECK;

#endif
