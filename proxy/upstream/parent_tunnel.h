/*
 * parent_tunnel: a connection to some place through a parent proxy, by CONNECT
 * (RFC 9110, 9.3.6).
 *
 * One loop's thread. All of it, with what sfmtls says of who it is, takes no
 * longer than connect-timeout.
 */
#ifndef UPSTREAM_PARENT_TUNNEL_H
#define UPSTREAM_PARENT_TUNNEL_H

#include "config/parent_proxy.h"
#include "net/stream.h"
#include "net/way_times.h"
#include "upstream/upstreams.h"

struct parent_tunnel;

/* s: what is written to it goes to that place; the taker's, who sets its handler at once. rest:
 * what has come from there already. s NULL: *why. Not called from inside parent_tunnel_open(). */
typedef void parent_tunnel_done(void *ctx, struct stream *s, struct slice rest,
                                const struct failure *why);

/* way: how long the parts take, until done is called; NULL: nobody wants to know. */
struct parent_tunnel *parent_tunnel_open(struct upstreams *all, struct parent_proxy *parent,
                                         const struct endpoint *to, struct way_times *way,
                                         parent_tunnel_done *done, void *ctx);
void parent_tunnel_cancel(struct parent_tunnel *t); /* done is not called any more */

#endif
