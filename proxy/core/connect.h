/*
 * connect: what becomes of a CONNECT. One to a configured server is answered
 * under the local CA's certificate, and the requests inside are served like
 * all others; to other targets, if they are listed, bytes are passed through;
 * the rest is refused.
 */
#ifndef CORE_CONNECT_H
#define CORE_CONNECT_H

#include "core/client.h"

/* As client_service.serve(), for a CONNECT that is not inside of another one. */
size_t connect_serve(struct client *c, const struct client_request *r);

#endif
