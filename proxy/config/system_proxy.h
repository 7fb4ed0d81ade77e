/*
 * system_proxy: the proxy that the environment names for https, read as curl
 * reads it: the variables, in which order, and whom no_proxy excepts.
 */
#ifndef CONFIG_SYSTEM_PROXY_H
#define CONFIG_SYSTEM_PROXY_H

#include <stdbool.h>

/* The variable that counts; NULL: none is set. *value: its value. */
const char *system_proxy_variable(const char **value);

/* Is that host (of IPv6 without brackets) to be reached without it? */
bool system_proxy_excepts(const char *host);

#endif
