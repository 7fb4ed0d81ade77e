/*
 * option_access: the setters of the options that say who may connect.
 */
#ifndef CONFIG_OPTION_ACCESS_H
#define CONFIG_OPTION_ACCESS_H

#include "config/option.h"

/* Names of users and groups are looked up at once. */
option_setter option_set_allow_uid;
option_setter option_set_socket_mode;
option_setter option_set_socket_group;
option_setter option_set_per_caller;

#endif
