/*
 * descriptors: the process's limit of open files. Each caller and each
 * connection to a server takes one.
 */
#ifndef OPS_DESCRIPTORS_H
#define OPS_DESCRIPTORS_H

#include "config/config.h"

/* Raises the soft limit to the hard limit. */
void descriptors_raise(void);

/* Logs a warning if the limit is too low for what c allows. */
void descriptors_check(const struct config *c);

#endif
