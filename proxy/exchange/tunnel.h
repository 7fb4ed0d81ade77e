/*
 * tunnel: a CONNECT to a target of connect-allow, whose bytes are passed
 * through without being read.
 *
 * The slower side sets the pace, and each side may end its half alone. A tunnel
 * counts as one exchange, from the CONNECT to the end of both halves.
 */
#ifndef EXCHANGE_TUNNEL_H
#define EXCHANGE_TUNNEL_H

#include "caller/client.h"

/* Resolves and dials the target, and becomes the client's job. A target that is listed by name must
 * not have a private address. */
void tunnel_start(struct client *c, const struct client_request *r, const struct endpoint *to);

#endif
