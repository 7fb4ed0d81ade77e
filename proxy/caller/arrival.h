/*
 * arrival: takes connections that were just accepted, or turns them away.
 */
#ifndef CALLER_ARRIVAL_H
#define CALLER_ARRIVAL_H

#include "caller/client.h"
#include "net/acceptor.h"

/* Takes the n connections, which were just accepted (n may be 0). If admission_take() does not
 * admit one, its caller is told the reason and the connection is closed. */
void arrival_take(struct clients *all, const struct client_door *door,
                  const struct accepted accepted[], size_t n);

#endif
