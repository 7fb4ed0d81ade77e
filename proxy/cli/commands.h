/*
 * commands: each is a file of its own, which tells what it does and how it is
 * called.
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

/* The command by which init checks what it has written; without it, init tests it as `run -t`. */
void init_check_by(const struct command *check);

#endif
