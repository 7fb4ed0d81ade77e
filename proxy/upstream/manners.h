/*
 * manners: what a tenant's server wants of those that call it: so many requests a second (`rate`),
 * and none for a while after an answer 429 or 503 with Retry-After.
 *
 * One for each tenant of a generation. The gates, and what was counted, go on with the next
 * generation, as long as the tenant's name, server and company are the same, whichever certificate
 * it has. A path that is to be left alone stays so, whatever becomes of its `rate`. Immutable but
 * for that; any thread may call.
 */
#ifndef UPSTREAM_MANNERS_H
#define UPSTREAM_MANNERS_H

#include "config/config.h"
#include "upstream/gate.h"

enum {
    MANNERS_HELD_MAX = 64,  /* paths without a `rate` that wait at the same time */
    MANNERS_PATH_MAX = 256, /* bytes of the two segments; longer ones are not remembered */
    MANNERS_WAIT_MAX_S = 900,
};

struct manners;

/* previous: of the same account in the generation before, and its tenant; NULL: none. */
struct manners *manners_new(const struct tenant *t, const struct manners *previous,
                            const struct tenant *previous_tenant);
void manners_free(struct manners *m);

/* False: no gate is for a request whose path begins so. The first look, which costs little. */
bool manners_may_concern(const struct manners *m, const struct tenant *t, struct slice beginning);

/* The gate for a request with that path (without query), which the caller unrefs; NULL: it need not
 * wait. */
struct gate *manners_find(struct manners *m, const struct tenant *t, struct slice path);

/* The server has answered a request with that path by status, 429 or 503, and asks for so many
 * seconds; 0: it does not say. */
void manners_note_refusal(struct manners *m, const struct tenant *t, struct slice path, int status,
                          int64_t seconds);

/* A request goes through a gate, at once or later. */
void manners_note_wait(struct manners *m, bool was_held);

/* ---- for whoever asks ---- */

struct manners_sum {
    uint64_t rate_waits, held;     /* requests that waited, for the one reason or the other */
    uint64_t asked_429, asked_503; /* the server's own answers */
};
void manners_add_up(struct manners *m, struct manners_sum *out);

/* Calls f for each gate: each `rate`, and each path that is to be left alone now or where somebody
 * waits. */
typedef void manners_hook(void *ctx, const char *path, const struct gate_view *v);
void manners_each(struct manners *m, manners_hook *f, void *ctx);

#endif
