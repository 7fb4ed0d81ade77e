/*
 * load: makes a checked configuration from settings. Private to this layer.
 */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "config/config.h"

struct config *config_new(void);

#endif
