/*
 * arrival: a connection that was just accepted: is it admitted, and who is told
 * what if not?
 */
#ifndef CALLER_ARRIVAL_H
#define CALLER_ARRIVAL_H

#include "caller/client.h"

/* Takes the connection, which was accepted from that address. One that admission_take() does not
 * admit is told why and closed. */
void arrival_take(struct clients *all, const struct client_door *door, int fd,
                  const struct address *from);

#endif
