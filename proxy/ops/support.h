/*
 * support: one JSON document from which somebody else can see what is wrong:
 * versions, platform, the configuration without secrets, what `check` says, and
 * the status with the last failures.
 */
#ifndef OPS_SUPPORT_H
#define OPS_SUPPORT_H

#include "config/config.h"

/* c: of config_load_flawed(). names: hosts, companies, users and files are named, not hashed. It
 * calls the servers, as `check` does, and the admin listener. */
void support_write(struct config *c, bool names, struct buf *out);

#endif
