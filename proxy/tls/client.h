/*
 * client: the TLS client of one tenant: its certificate, the CAs that it
 * trusts, and the name that the server has to prove.
 *
 * Immutable, reference-counted, shared by all workers.
 */
#ifndef TLS_CLIENT_H
#define TLS_CLIENT_H

#include <stdbool.h>

#include "tls/credential.h"
#include "tls/report.h"
#include "tls/trust.h"

struct tls_client;

/* Has the server asked for our certificate? If a session was resumed, servers do not ask again;
 * then it counts whether the server asked when the session was made. Valid after the handshake. */
bool tls_report_requested(const struct tls_report *report, const SSL *ssl);

enum status tls_client_new(const struct credential *c, const struct trust *t, const char *host,
                           struct tls_client **out, struct diag *why) MUST_CHECK;
struct tls_client *tls_client_ref(struct tls_client *c);
void tls_client_unref(struct tls_client *c); /* NULL is allowed */

/* Makes the SSL of a new connection, in connect state and without a BIO; it resumes a kept session
 * if there is one. The user owns the SSL, and has to hold a reference to c until it is freed,
 * because the verification uses c. */
SSL *tls_client_connect(const struct tls_client *c, struct tls_report *report);
void tls_client_detach(SSL *ssl);

#endif
