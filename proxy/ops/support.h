/*
 * support: one JSON document from which another person can see what is wrong:
 * versions, platform, the configuration without secrets, the result of `check`,
 * and the status with the last failures.
 */
#ifndef OPS_SUPPORT_H
#define OPS_SUPPORT_H

#include "config/config.h"

/* c: loaded by config_load_flawed(). names: do not hash hosts, companies, users and files. Calls
 * the servers, as `check` does, and the admin listener. */
void support_write(struct config *c, bool names, struct buf *out);

#endif
