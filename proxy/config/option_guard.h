/*
 * option_guard: setters of the options that say by which names, and from
 * which web pages, the proxy may be called. For the table in option.c.
 */
#ifndef CONFIG_OPTION_GUARD_H
#define CONFIG_OPTION_GUARD_H

#include "config/option.h"

enum status option_set_host_names(const struct option *o, void *section, const struct setting *s,
                                  struct diag *why) MUST_CHECK;
enum status option_set_allow_origin(const struct option *o, void *section, const struct setting *s,
                                    struct diag *why) MUST_CHECK;

#endif
