/*
 * upstream: one connection to a tenant's server, from the look-up of the name
 * to the end of the connection.
 *
 * It is owned first by the acquire that it is made for, then by an exchange and
 * the pool in turn. Closing it frees its place in the tenant's quota.
 */
#ifndef UPSTREAM_UPSTREAM_H
#define UPSTREAM_UPSTREAM_H

#include "net/stream.h"
#include "net/way_times.h"
#include "upstream/site.h"

struct cause_evidence;
struct upstream;

/* u == NULL: *why has the reason. Not called inside upstream_open(). */
typedef void upstream_opened(void *ctx, struct upstream *u, const struct failure *why);

/* Resolves the name, connects, and does the TLS handshake under that identity. The user has taken a
 * place in the tenant's quota for it. After upstream_close() `opened` is not called any more. way:
 * gets the times of the parts until `opened` is called. */
struct upstream *upstream_open(struct site *s, int identity, struct way_times *way,
                               upstream_opened *opened, void *ctx);

/* An exchange takes the connection: handler gets what the server sends from now on. */
void upstream_use(struct upstream *u, const struct stream_handler *handler, void *ctx);

/* The pool takes the connection: any byte or event from the server closes it. idle_ms: the longest
 * idle time. */
void upstream_rest(struct upstream *u, int64_t idle_ms);

/* Safe anywhere, idempotent; the memory is freed at the end of the loop's turn. reason: for the
 * trace, as in "connection 7 to acme is closed: <reason>". */
void upstream_close(struct upstream *u, enum stream_close_mode mode, const char *reason);

/* Collects what can be seen of the reason why the server does not accept the connection.
 * upstream_explain() gives the failure the cause that follows from it. */
void upstream_collect(const struct upstream *u, struct cause_evidence *out);
void upstream_explain(const struct upstream *u, struct failure *why);

struct stream *upstream_stream(const struct upstream *u);
int upstream_identity(const struct upstream *u);
/* counts the connections of its worker */
unsigned long long upstream_number(const struct upstream *u);
const char *upstream_tls(const struct upstream *u); /* "TLSv1.3" */
bool upstream_is_reused(const struct upstream *u);  /* another exchange has used it before */
bool upstream_is_too_old(const struct upstream *u); /* older than pool-age */
struct list *upstream_node(struct upstream *u);     /* for the pool's list */
struct upstream *upstream_of_node(struct list *node);

#endif
