/*
 * renewal_room: what a process may use that fetches the certificate of one
 * tenant. It may read the tenant's service key and passphrase, the system's CAs
 * and the files for lookups of names. It may write the tenant's
 * certificate-store, and connect to anywhere. It cannot use files or
 * passphrases of other tenants, and cannot listen.
 */
#ifndef OPS_RENEWAL_ROOM_H
#define OPS_RENEWAL_ROOM_H

#include "config/config.h"

/* Confines the process for good. Load libraries before. If the kernel lacks a part of it, the
 * process goes on without that part. */
void renewal_room_enter(const struct config *c, const struct tenant *t);

#endif
