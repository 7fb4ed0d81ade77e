/*
 * descriptors: the process's limit of open files. Each caller costs one, and
 * each connection to a server.
 */
#ifndef OPS_DESCRIPTORS_H
#define OPS_DESCRIPTORS_H

#include "config/config.h"

/* Raises the limit as far as it may be. */
void descriptors_raise(void);

/* Says in the log if it does not suffice for what c allows. */
void descriptors_check(const struct config *c);

#endif
