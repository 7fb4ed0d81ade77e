/*
 * session: the resumable TLS sessions with one server under one identity.
 *
 * One thread's only. A session carries the identity under which it was made,
 * so these are kept per identity and dropped with it.
 */
#ifndef TLS_SESSION_H
#define TLS_SESSION_H

#include <stdbool.h>

#include <openssl/ssl.h>

struct tls_sessions;

struct tls_sessions *tls_sessions_new(void);
void tls_sessions_free(struct tls_sessions *s);

/* Keeps a session and takes it over; false if it is of no use, then it stays the caller's.
 * requested: whether the server had asked for our certificate, which a resumption cannot tell. */
bool tls_sessions_put(struct tls_sessions *s, SSL_SESSION *session, bool requested);

/* The newest session, or NULL. The caller owns one reference. A TLS 1.3 ticket is used once
 * (RFC 8446, C.4) unless it is the last. */
SSL_SESSION *tls_sessions_take(struct tls_sessions *s, bool *requested);

#endif
