/*
 * way_times: how long the parts of the way to a server took, in microseconds.
 * -1: there was no such part. A kept connection has only `queue`, if any.
 */
#ifndef NET_WAY_TIMES_H
#define NET_WAY_TIMES_H

#include <stdbool.h>
#include <stdint.h>

struct way_times {
    int64_t queue;   /* wait for a gate or a connection */
    int64_t dns;     /* lookup of the name */
    int64_t connect; /* from the addresses to the connection */
    int64_t tls;     /* TLS handshake */
    /* 1: an earlier TLS session was resumed; 0: not; -1: no handshake was completed */
    int resumed;
};

/* Was there any part? A part that was not is negative, and so is the AND of four negative
 * numbers. */
static inline bool way_times_has_any(const struct way_times *w)
{
    return (w->queue & w->dns & w->connect & w->tls) >= 0;
}

static inline void way_times_clear(struct way_times *w)
{
    w->queue = w->dns = w->connect = w->tls = -1;
    w->resumed = -1;
}

#endif
