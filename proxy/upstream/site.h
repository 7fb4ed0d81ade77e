/*
 * site: one tenant's API server as its connections in one worker see it.
 * Reference-counted within the worker's thread.
 */
#ifndef UPSTREAM_SITE_H
#define UPSTREAM_SITE_H

#include "upstream/upstreams.h"

struct tls_sessions;

struct site {
    unsigned refs;
    struct upstreams *all;         /* of this worker */
    struct generation *generation; /* keeps `tenant` alive */
    struct tenant *tenant;
    struct shared_tenant *shared; /* the tenant's counts */
    struct idle_count *idle;      /* this worker's count of idle connections */
    struct tls_sessions *sessions[IDENTITIES];
    void (*place_freed)(struct site *s); /* called when a connection was closed */
    void (*release)(struct site *s);     /* called when the last reference is gone */
};

/* The user holds one reference. */
void site_init(struct site *s, struct upstreams *all, struct generation *g, size_t tenant);
struct site *site_ref(struct site *s);
void site_unref(struct site *s);

/* One idle connection more (1) or less (-1). */
void site_count_idle(struct site *s, int more);

/* The same server is now tenant number `tenant` of the generation g. */
void site_adopt(struct site *s, struct generation *g, size_t tenant);

/* Frees what s holds, but not s. */
void site_free(struct site *s);

#endif
