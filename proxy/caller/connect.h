/*
 * connect: what becomes of a CONNECT. One to a configured server is answered
 * under the local CA's certificate, and the requests inside are served like
 * all others; to other targets, if they are listed, bytes may be passed
 * through; the rest is refused.
 */
#ifndef CALLER_CONNECT_H
#define CALLER_CONNECT_H

#include "caller/client.h"

#define CONNECT_ESTABLISHED "HTTP/1.1 200 Connection established\r\n\r\n"

/* Judges a CONNECT that is not inside of another one. NULL: it was answered, and the client is done
 * with it; else the caller may have a tunnel to that endpoint, and has no answer yet. */
const struct endpoint *connect_serve(struct client *c, const struct client_request *r);

#endif
