/*
 * option_set: the setters for the table in option.c. A setter reads and checks
 * an option's value and stores it in its section.
 */
#ifndef CONFIG_OPTION_SET_H
#define CONFIG_OPTION_SET_H

#include "config/option.h"

/* option_set.c */
option_setter option_set_duration;
option_setter option_set_size;
option_setter option_set_count;
option_setter option_set_workers;
option_setter option_set_choice;
option_setter option_set_bool;
option_setter option_set_text;
option_setter option_set_path;
option_setter option_set_log;
option_setter option_set_connect_allow;
option_setter option_set_company_id;
option_setter option_set_server;
option_setter option_set_connect_to;
option_setter option_set_header;
option_setter option_set_allow;
option_setter option_set_nothing;

/* option_listen.c: where the proxy listens. */
option_setter option_set_admin;

/* Adds the listeners that text names to the *count listeners of *list, for that tenant (-1: for
 * none). */
enum status option_add_listen(struct listen_address **list, size_t *count, const char *text,
                              const struct setting *s, int tenant, struct diag *why) MUST_CHECK;

/* option_parent.c: the proxy through which we connect to servers. */
option_setter option_set_parent_proxy;
option_setter option_set_ccache;

/* option_access.c: who may connect. Names of users and groups are looked up at once. */
option_setter option_set_allow_uid;
option_setter option_set_socket_mode;
option_setter option_set_socket_group;
option_setter option_set_per_caller;

/* option_rate.c: how many requests are sent to the server. */
option_setter option_set_rate;

/* option_guard.c: the names of the proxy, and the web pages that may call it. */
option_setter option_set_host_names;
option_setter option_set_allow_origin;

#endif
