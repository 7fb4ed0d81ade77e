/*
 * value: the words of a configuration file as values. Each function's sentence
 * says what is wrong and what would be right; none knows where it is.
 */
#ifndef CONFIG_VALUE_H
#define CONFIG_VALUE_H

#include "config/config.h"

enum status value_duration(const char *text, int64_t *ms, struct diag *why) MUST_CHECK;
enum status value_size(const char *text, int64_t *bytes, struct diag *why) MUST_CHECK;
enum status value_count(const char *text, int64_t *count, struct diag *why) MUST_CHECK;

/* The index of text among choices, which `|` separates. */
enum status value_choice(const char *text, const char *choices, int *index,
                         struct diag *why) MUST_CHECK;

/* HOST or HOST:PORT; with url, https://HOST[:PORT] too. Port 0 in, default_port out. */
enum status value_endpoint(const char *text, bool url, int default_port, struct endpoint *out,
                           struct diag *why) MUST_CHECK;

#endif
