/*
 * exchange: one request of a caller and the server's answer to it.
 *
 * An exchange judges the request (guard, route), takes a connection to the
 * tenant's server, passes on the edited heads, and streams both bodies; the
 * slower side sets the pace of each. It may repeat the request once, if that is
 * safe. At the end it reports one record.
 */
#ifndef EXCHANGE_EXCHANGE_H
#define EXCHANGE_EXCHANGE_H

#include "caller/client.h"

/* The service of listeners that lead to the tenants' servers. Its ctx is not used. */
extern const struct client_service exchange_service;

#endif
