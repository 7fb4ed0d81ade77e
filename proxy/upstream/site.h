/*
 * site: one tenant's API server as one worker sees it: what its connections
 * need to know of it. Reference-counted within the worker's thread.
 */
#ifndef UPSTREAM_SITE_H
#define UPSTREAM_SITE_H

#include "upstream/upstreams.h"

struct tls_sessions;

struct site {
    unsigned refs;
    struct upstreams *all;         /* of the same worker */
    struct generation *generation; /* which owns the tenant */
    struct tenant *tenant;
    struct shared_tenant *shared; /* its counts */
    struct idle_count *idle;      /* the one that is this worker's */
    struct tls_sessions *sessions[IDENTITIES];
    void (*place_freed)(struct site *s); /* a connection was closed */
    void (*release)(struct site *s);     /* the last reference is gone */
};

/* The caller holds one reference. */
void site_init(struct site *s, struct upstreams *all, struct generation *g, size_t tenant);
struct site *site_ref(struct site *s);
void site_unref(struct site *s);

/* One connection more (1) or less (-1) rests. */
void site_count_idle(struct site *s, int more);

/* The same server, under another configuration. */
void site_adopt(struct site *s, struct generation *g, size_t tenant);

/* Frees what it holds, not the site. */
void site_free(struct site *s);

#endif
