/*
 * inside: what an intercepted CONNECT has fixed for all requests that come
 * inside of it. Belongs to the client whose connection it is.
 */
#ifndef CALLER_INSIDE_H
#define CALLER_INSIDE_H

#include <openssl/ssl.h>

#include "policy/guard.h"

struct inside {
    struct guard_inside is; /* what it has fixed */
    SSL_CTX *tls;           /* the server side for it */
    bool begun;             /* the first byte has come */
    bool ready;             /* the handshake is done */
};

/* host and token are copied, of tls a reference is taken over. */
struct inside *inside_new(const char *host, int port, struct slice token, SSL_CTX *tls);
void inside_free(struct inside *in); /* wipes the token; NULL is allowed */

/* The first bytes: is it a TLS handshake? */
bool inside_begin(struct inside *in, struct slice bytes);

/* The handshake is done: what did it say? */
void inside_note_handshake(struct inside *in, const SSL *ssl);

/* What the failed handshake means. */
void inside_explain(const struct inside *in, const struct failure *tls, struct failure *out);

#endif
