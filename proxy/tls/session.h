/*
 * session: the resumable TLS sessions with one server under one identity.
 *
 * Belongs to one thread. A session contains the identity under which it was
 * made, so each identity has its own sessions, which are dropped with it.
 */
#ifndef TLS_SESSION_H
#define TLS_SESSION_H

#include <stdbool.h>

#include <openssl/ssl.h>

struct tls_sessions;

struct tls_sessions *tls_sessions_new(void);
void tls_sessions_free(struct tls_sessions *s);

/* Keeps a session and takes ownership of it. False: it cannot be resumed, and still belongs to the
 * user. requested: the server had asked for our certificate, which a resumption does not show. */
bool tls_sessions_put(struct tls_sessions *s, SSL_SESSION *session, bool requested);

/* The newest session, with a reference for the user; NULL: there is none. A TLS 1.3 ticket is used
 * only once (RFC 8446, C.4), unless it is the last one. */
SSL_SESSION *tls_sessions_take(struct tls_sessions *s, bool *requested);

#endif
