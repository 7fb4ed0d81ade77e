/*
 * exchange: one request of a caller and the server's answer to it.
 *
 * It judges the request (guard, route), takes a connection to the tenant's
 * server, passes the edited heads and streams the bodies both ways, each half
 * at the pace of the slower side. It may repeat the request once, if that is
 * safe. In the end it reports one record.
 */
#ifndef EXCHANGE_EXCHANGE_H
#define EXCHANGE_EXCHANGE_H

#include "caller/client.h"

/* The service of listeners that lead to the tenants' servers. Its ctx is not used. */
extern const struct client_service exchange_service;

#endif
