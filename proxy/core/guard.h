/*
 * guard: may this request use this listener at all? Pure.
 *
 * A page in a browser on the same machine can send requests to localhost, by
 * itself (Origin, Sec-Fetch-Site) or after its name was made to resolve to
 * 127.0.0.1 (DNS rebinding: Host). Neither may reach the tenant's data.
 */
#ifndef CORE_GUARD_H
#define CORE_GUARD_H

#include "config/config.h"
#include "core/inside.h"

struct guard_view {
    const struct config *config;
    bool unix_listener;          /* no page can reach one: its Host is not judged */
    const struct inside *inside; /* the CONNECT in which it came; NULL: none */
};

/* Checks method, Host, Origin, Sec-Fetch-Site and what cannot be served. Inside a CONNECT, Host and
 * target must be the CONNECT's. */
bool guard_admits(const struct guard_view *v, const struct head *request,
                  const struct target *target, struct failure *why) MUST_CHECK;

/* Checks the head of a CONNECT; what it says of its own connection does not matter. */
bool guard_admits_connect(const struct guard_view *v, const struct head *request,
                          const struct target *target, struct failure *why) MUST_CHECK;

#endif
