/*
 * renewal_room: what is left of the machine for a process that fetches one
 * tenant's certificate: its service key and passphrase, the system's CAs and
 * what names are looked up by, to read; its certificate-store, to write; calls
 * to anywhere. No other tenant's files or passphrases, and no listener.
 */
#ifndef OPS_RENEWAL_ROOM_H
#define OPS_RENEWAL_ROOM_H

#include "config/config.h"

/* For good. Libraries have to be loaded before. A kernel that has not all of it does without. */
void renewal_room_enter(const struct config *c, const struct tenant *t);

#endif
