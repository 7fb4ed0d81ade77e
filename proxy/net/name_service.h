/*
 * name_service: what the C library needs to look up names: modules, which it
 * loads as nsswitch.conf says, and files in /etc, some of which are links to
 * other folders (resolv.conf). In the sandbox, this process can neither load
 * modules nor read files that come to another place later.
 */
#ifndef NET_NAME_SERVICE_H
#define NET_NAME_SERVICE_H

#include <stdbool.h>

#include "base/diag.h"

/* Loads the modules now. Call it before the sandbox. */
void name_service_load(void);

/* Does the sandbox keep the C library from something that it needs for lookups? Names may resolve
 * otherwise than in other programs then; *why has the reason and the cure. Looks at files. Any
 * thread. */
bool name_service_is_blocked(struct diag *why);

#endif
