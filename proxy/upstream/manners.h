/*
 * manners: how often a tenant's server wants to be called: at most so many
 * requests a second (`rate`), and none for a while after it has answered 429 or
 * 503 with Retry-After (RFC 9110, 10.2.3).
 *
 * Each tenant of a generation has one. Its gates and counts go on in the next
 * generation as long as the tenant's name, server and company ID are the same;
 * its certificate may change. If the server wants no requests for a path, that
 * stays so even if the path's `rate` is changed. Everything else is immutable.
 * Any thread may call.
 */
#ifndef UPSTREAM_MANNERS_H
#define UPSTREAM_MANNERS_H

#include "config/config.h"
#include "upstream/gate.h"

enum {
    MANNERS_HELD_MAX = 64, /* paths without a `rate` that are held at a time */
    /* Bytes of a path's first two segments; a longer path is not held. */
    MANNERS_PATH_MAX = 256,
    MANNERS_WAIT_MAX_S = 900, /* a longer Retry-After is cut down to it */
};

struct manners;

/* previous: the manners of the same account in the generation before, with its tenant; NULL:
 * none. */
struct manners *manners_new(const struct tenant *t, const struct manners *previous,
                            const struct tenant *previous_tenant);
void manners_free(struct manners *m);

/* A cheap first look. False: no gate applies to a request whose path begins like this. */
bool manners_may_concern(const struct manners *m, const struct tenant *t, struct slice beginning);

/* The gate for a request with that path (without its query); the user has to unref it. NULL: no
 * gate applies. */
struct gate *manners_find(struct manners *m, const struct tenant *t, struct slice path);

/* The server has answered a request with that path with status 429 or 503. seconds: what
 * Retry-After says; 0: nothing. At most MANNERS_WAIT_MAX_S of it are waited. */
void manners_note_refusal(struct manners *m, const struct tenant *t, struct slice path, int status,
                          int64_t seconds);

/* Counts a request that has to wait at a gate. was_held: because of Retry-After, not of `rate`. */
void manners_note_wait(struct manners *m, bool was_held);

/* ---- for the status ---- */

struct manners_sum {
    uint64_t rate_waits, held;     /* requests that waited because of `rate`, Retry-After */
    uint64_t asked_429, asked_503; /* answers of the server */
};
void manners_add_up(struct manners *m, struct manners_sum *out);

/* Calls f for the gate of each `rate`, and for each path that is held now or where requests
 * wait. */
typedef void manners_hook(void *ctx, const char *path, const struct gate_view *v);
void manners_each(struct manners *m, manners_hook *f, void *ctx);

#endif
