/*
 * load: from settings to a checked configuration. Private to the layer.
 */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "config/config.h"

struct config *config_new(void);

#endif
