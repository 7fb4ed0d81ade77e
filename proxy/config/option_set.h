/*
 * option_set: what puts an option's value where it belongs, once it is read
 * and checked; for the table in option.c.
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

/* option_listen.c: where the proxy is called. */
option_setter option_set_admin;

/* Adds what text names to the *count listeners of *list, as that tenant's (-1: nobody's own). */
enum status option_add_listen(struct listen_address **list, size_t *count, const char *text,
                              const struct setting *s, int tenant, struct diag *why) MUST_CHECK;

/* option_parent.c: the proxy through which servers are reached. */
option_setter option_set_parent_proxy;
option_setter option_set_ccache;

/* option_access.c: who may connect. Names of users and groups are looked up at once. */
option_setter option_set_allow_uid;
option_setter option_set_socket_mode;
option_setter option_set_socket_group;
option_setter option_set_per_caller;

/* option_rate.c: how much the server is asked. */
option_setter option_set_rate;

/* option_guard.c: by which names, and from which web pages, the proxy may be called. */
option_setter option_set_host_names;
option_setter option_set_allow_origin;

#endif
