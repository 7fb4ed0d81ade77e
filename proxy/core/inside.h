/*
 * inside: what an intercepted CONNECT has fixed for all requests that come
 * inside of it. Belongs to the client whose connection it is.
 */
#ifndef CORE_INSIDE_H
#define CORE_INSIDE_H

#include <openssl/ssl.h>

#include "http/target.h"

struct inside {
    struct authority target; /* a configured server; its host is in lower case */
    SSL_CTX *tls;            /* the server side for it */
    struct slice token;      /* by which it was admitted; p NULL: none was asked for */
    bool begun;              /* the first byte has come */
    bool secure;             /* it began TLS: what is inside is https */
    bool ready;              /* the handshake is done */
    bool misnamed;           /* it was for another host (SNI) */
};

/* host and token are copied, of tls a reference is taken over. */
struct inside *inside_new(const char *host, int port, struct slice token, SSL_CTX *tls);
void inside_free(struct inside *in); /* wipes the token; NULL is no error */

/* The first bytes: is it a TLS handshake? */
bool inside_begin(struct inside *in, struct slice bytes);

/* The handshake is done: what did it say? */
void inside_note_handshake(struct inside *in, const SSL *ssl);

bool inside_is_host(const struct inside *in, struct slice host);

/* What the failed handshake means. */
void inside_explain(const struct inside *in, const struct failure *tls, struct failure *out);

#endif
