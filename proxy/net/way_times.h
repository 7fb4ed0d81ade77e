/*
 * way_times: how long the parts of the way to a server took. Microseconds; -1: there was no such
 * part, as a kept connection has none but the first.
 */
#ifndef NET_WAY_TIMES_H
#define NET_WAY_TIMES_H

#include <stdbool.h>
#include <stdint.h>

struct way_times {
    int64_t queue;   /* the request waited until it might have a connection */
    int64_t dns;     /* the name was looked up */
    int64_t connect; /* from the addresses to the connection */
    int64_t tls;     /* the handshake */
    int resumed;     /* it took up an earlier session: 0, 1; -1: none was finished */
};

/* Was there any part? The sign of each tells. */
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
