/*
 * parent_tunnel: a connection to a target through a parent proxy, by CONNECT
 * (RFC 9110, 9.3.6).
 *
 * Belongs to one loop's thread. Everything, including the login to the parent
 * proxy, has to be done within connect-timeout.
 */
#ifndef UPSTREAM_PARENT_TUNNEL_H
#define UPSTREAM_PARENT_TUNNEL_H

#include "config/parent_proxy.h"
#include "net/stream.h"
#include "net/way_times.h"
#include "upstream/upstreams.h"

struct parent_tunnel;

/* s: the tunnel, whose other end is the target. The user owns it, and has to set its handler at
 * once. rest: bytes that have come from the target already. s == NULL: *why has the reason. Not
 * called inside parent_tunnel_open(). */
typedef void parent_tunnel_done(void *ctx, struct stream *s, struct slice rest,
                                const struct failure *why);

/* Opens a tunnel to *to. way: gets the times of the parts until `done` is called; NULL: not
 * wanted. */
struct parent_tunnel *parent_tunnel_open(struct upstreams *all, struct parent_proxy *parent,
                                         const struct endpoint *to, struct way_times *way,
                                         parent_tunnel_done *done, void *ctx);
void parent_tunnel_cancel(struct parent_tunnel *t); /* `done` is not called any more */

#endif
