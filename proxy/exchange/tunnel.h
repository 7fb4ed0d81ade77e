/*
 * tunnel: a CONNECT whose bytes are passed through, unseen, to what
 * connect-allow lists.
 *
 * Whoever is slower sets the pace, and each side may end its half alone. It
 * counts as one exchange, from the CONNECT to the end of both halves.
 */
#ifndef EXCHANGE_TUNNEL_H
#define EXCHANGE_TUNNEL_H

#include "caller/client.h"

/* Finds and dials the target and becomes the client's job. A
 * target that is listed by name must not be a private address. */
void tunnel_start(struct client *c, const struct client_request *r, const struct endpoint *to);

#endif
