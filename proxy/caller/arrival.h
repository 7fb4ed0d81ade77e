/*
 * arrival: connections that were just accepted: are they admitted, and who is
 * told what if not?
 */
#ifndef CALLER_ARRIVAL_H
#define CALLER_ARRIVAL_H

#include "caller/client.h"
#include "net/acceptor.h"

/* Takes the n connections, which may be none. One that admission_take() does not admit is told why
 * and closed. */
void arrival_take(struct clients *all, const struct client_door *door,
                  const struct accepted accepted[], size_t n);

#endif
