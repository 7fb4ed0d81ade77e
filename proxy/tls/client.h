/*
 * client: the TLS client side of one tenant: its certificate, whom it trusts,
 * and the name that the server must prove.
 *
 * Immutable, reference-counted, shared by all workers.
 */
#ifndef TLS_CLIENT_H
#define TLS_CLIENT_H

#include <stdbool.h>

#include "tls/credential.h"
#include "tls/trust.h"

struct tls_client;
struct tls_sessions;

/* One connection as the callbacks of OpenSSL see it. Owned by the connection; it must outlive the
 * SSL object or be detached from it with tls_client_detach(). */
struct tls_link {
    struct tls_sessions *sessions; /* where new sessions are kept; may be NULL */
    bool requested;                /* the server asked for our certificate in this handshake */
    bool requested_before;         /* it did when the session was made that is to be resumed */
    char blamed[256]; /* what the server's certificate or CRL is, if it was at fault; else "" */
};

/* The server asked for our certificate: in this handshake, or, if a session was resumed (where
 * servers do not ask again), when the session was made. Valid once the handshake is done. */
bool tls_link_requested(const struct tls_link *link, const SSL *ssl);

enum status tls_client_new(const struct credential *c, const struct trust *t, const char *host,
                           struct tls_client **out, struct diag *why) MUST_CHECK;
struct tls_client *tls_client_ref(struct tls_client *c);
void tls_client_unref(struct tls_client *c); /* NULL is no error */

/* A new connection's SSL in connect state, which resumes a kept session if there is one. It wants
 * a BIO. The caller owns it, and holds c until it is closed: verifying looks there. */
SSL *tls_client_connect(const struct tls_client *c, struct tls_link *link);
void tls_client_detach(SSL *ssl);

/* Of the client that made ssl: its host, and whether a CRL is missing for the first time. */
const char *tls_client_host(const SSL *ssl);
bool tls_client_is_first_without_crl(const SSL *ssl);

#endif
