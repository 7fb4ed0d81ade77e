/*
 * digest_auth: a client's answer to a Digest challenge (RFC 7616): MD5 and
 * SHA-256, both also as -sess; qop=auth, or no qop (RFC 2069).
 */
#ifndef TLS_DIGEST_AUTH_H
#define TLS_DIGEST_AUTH_H

#include "base/buf.h"

/* The parameters of the challenge. An empty algorithm is MD5. */
struct digest_challenge {
    struct slice realm, nonce, opaque, algorithm;
    bool has_opaque, has_qop, wants_userhash;
};

struct digest_request {
    const char *method, *uri, *user;
    struct slice password;
    unsigned count;     /* of requests with this nonce, this one included */
    const char *cnonce; /* NULL: a random one */
};

/* The strength of the algorithm; 0: it cannot be used. */
int digest_auth_strength(struct slice algorithm);

/* Appends the value of Authorization or Proxy-Authorization. False: OpenSSL refuses the
 * algorithm. */
bool digest_auth_write(struct buf *out, const struct digest_challenge *c,
                       const struct digest_request *r) MUST_CHECK;

#endif
