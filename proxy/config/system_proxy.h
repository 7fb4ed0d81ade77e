/*
 * system_proxy: the proxy that the environment sets for https, as curl reads
 * it: which variables count, in which order, and which hosts no_proxy excepts.
 */
#ifndef CONFIG_SYSTEM_PROXY_H
#define CONFIG_SYSTEM_PROXY_H

#include <stdbool.h>

/* The name of the variable that applies, and its value in *value; NULL: none is set. */
const char *system_proxy_variable(const char **value);

/* Does no_proxy say that this host is to be reached without the proxy? An IPv6 address has no
 * brackets. */
bool system_proxy_excepts(const char *host);

#endif
