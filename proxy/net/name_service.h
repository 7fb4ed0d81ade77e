/*
 * name_service: what the C library takes to look up names: modules, which it
 * loads as nsswitch.conf says, and files in /etc, some of which are links to
 * somewhere else (resolv.conf). A process that is confined can neither load
 * modules nor read files that are put elsewhere later.
 */
#ifndef NET_NAME_SERVICE_H
#define NET_NAME_SERVICE_H

#include <stdbool.h>

#include "base/diag.h"

/* Loads the modules now. */
void name_service_load(void);

/* Is something that the C library would take out of reach of this process, though not by the rights
 * of its user? Then names are looked up otherwise than by the system's other programs, and the
 * sentence says why and what to do. Looks at files. Any thread. */
bool name_service_is_blocked(struct diag *why);

#endif
