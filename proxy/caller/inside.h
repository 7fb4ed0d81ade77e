/*
 * inside: what an intercepted CONNECT determines for all requests inside it.
 * Belongs to the client whose connection it is.
 */
#ifndef CALLER_INSIDE_H
#define CALLER_INSIDE_H

#include <openssl/ssl.h>

#include "policy/guard.h"

struct inside {
    struct guard_inside is; /* the CONNECT's target and token */
    SSL_CTX *tls;           /* makes our side of the TLS connection */
    bool begun;             /* the first bytes have come */
    bool ready;             /* the TLS handshake is complete */
};

/* Copies host and token; takes ownership of one reference to tls. */
struct inside *inside_new(const char *host, int port, struct slice token, SSL_CTX *tls);
void inside_free(struct inside *in); /* wipes the token; NULL is allowed */

/* Call it with the first bytes. Returns true if they begin a TLS handshake. */
bool inside_begin(struct inside *in, struct slice bytes);

/* Call it when the handshake is complete: notes what the caller said in it. */
void inside_note_handshake(struct inside *in, const SSL *ssl);

/* Explains to the operator what the failed handshake means. */
void inside_explain(const struct inside *in, const struct failure *tls, struct failure *out);

#endif
