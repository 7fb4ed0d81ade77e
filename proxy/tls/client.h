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
#include "tls/link.h"
#include "tls/trust.h"

struct tls_client;

/* The server asked for our certificate: in this handshake, or, if a session was resumed (where
 * servers do not ask again), when the session was made. Valid once the handshake is done. */
bool tls_link_requested(const struct tls_link *link, const SSL *ssl);

enum status tls_client_new(const struct credential *c, const struct trust *t, const char *host,
                           struct tls_client **out, struct diag *why) MUST_CHECK;
struct tls_client *tls_client_ref(struct tls_client *c);
void tls_client_unref(struct tls_client *c); /* NULL is allowed */

/* A new connection's SSL in connect state, which resumes a kept session if there is one. It wants
 * a BIO. The caller owns it, and holds c until it is closed: verifying looks there. */
SSL *tls_client_connect(const struct tls_client *c, struct tls_link *link);
void tls_client_detach(SSL *ssl);

#endif
