/*
 * value: converts the words of a configuration file to values. The sentence of
 * an error says what is wrong and what is allowed; it does not name the place.
 */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include "config/config.h"

enum status value_duration(const char *text, int64_t *ms, struct diag *why) MUST_CHECK;
enum status value_size(const char *text, int64_t *bytes, struct diag *why) MUST_CHECK;
enum status value_count(const char *text, int64_t *count, struct diag *why) MUST_CHECK;

/* Sets *index to the index of text among the choices, which `|` separates. */
enum status value_choice(const char *text, const char *choices, int *index,
                         struct diag *why) MUST_CHECK;

/* Reads HOST or HOST:PORT; if url is true, https://HOST[:PORT] as well. Without a port, out gets
 * default_port; if that is 0, a port is required. */
enum status value_endpoint(const char *text, bool url, int default_port, struct endpoint *out,
                           struct diag *why) MUST_CHECK;

#endif
