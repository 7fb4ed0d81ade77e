/*
 * upstream: one connection to a tenant's server, from the first look-up of its
 * name to its end.
 *
 * Its owner is, in turn: the acquire it is being made for, an exchange, the
 * pool. Whoever closes it frees its place in the tenant's quota.
 */
#ifndef UPSTREAM_UPSTREAM_H
#define UPSTREAM_UPSTREAM_H

#include "net/stream.h"
#include "net/way_times.h"
#include "upstream/site.h"

struct cause_evidence;
struct upstream;

/* u NULL: *why says why. Not called from inside upstream_open(). */
typedef void upstream_opened(void *ctx, struct upstream *u, const struct failure *why);

/* Resolves, connects and shakes hands under that identity; a place in the quota was taken for it.
 * After upstream_close() the callback does not come any more. way: how long the parts take; until
 * the callback. */
struct upstream *upstream_open(struct site *s, int identity, struct way_times *way,
                               upstream_opened *opened, void *ctx);

/* To an exchange: its handler gets what the server sends. */
void upstream_use(struct upstream *u, const struct stream_handler *handler, void *ctx);

/* To the pool: whatever the server says or does now ends it. idle_ms: for how long to wait. */
void upstream_rest(struct upstream *u, int64_t idle_ms);

/* Safe anywhere, idempotent; the memory goes when the loop turn ends. reason: for the trace, as in
 * "connection 7 to acme is closed: <reason>". */
void upstream_close(struct upstream *u, enum stream_close_mode mode, const char *reason);

/* What can be seen of why the server does not accept it; the failure gets the cause of that. */
void upstream_collect(const struct upstream *u, struct cause_evidence *out);
void upstream_explain(const struct upstream *u, struct failure *why);

struct stream *upstream_stream(const struct upstream *u);
int upstream_identity(const struct upstream *u);
unsigned long long upstream_number(const struct upstream *u); /* among those of its worker */
const char *upstream_tls(const struct upstream *u);           /* "TLSv1.3" */
bool upstream_is_reused(const struct upstream *u);  /* an exchange before this one used it */
bool upstream_is_too_old(const struct upstream *u); /* pool-age */
struct list *upstream_node(struct upstream *u);     /* for the pool's list */
struct upstream *upstream_of_node(struct list *node);

#endif
