/*
 * commands: each command has a file of its own, with its description.
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/cli.h"

extern const struct command command_run;
extern const struct command command_demo;
extern const struct command command_check;
extern const struct command command_explain;
extern const struct command command_support;
extern const struct command command_cert;
extern const struct command command_ca;
extern const struct command command_import;
extern const struct command command_hosts;
extern const struct command command_init;
extern const struct command command_status;
extern const struct command command_wait;
extern const struct command command_quit;
extern const struct command command_reload;

#endif
