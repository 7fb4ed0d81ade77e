/*
 * user: who the process is once it serves, and that it keeps no privilege.
 *
 * What needs root (low ports, files of root) is opened first. Then the process
 * becomes the `user` of the configuration, and gives up every capability,
 * whoever it is; a reload has to do without.
 */
#ifndef OPS_USER_H
#define OPS_USER_H

#include <sys/types.h>

#include "config/config.h"
#include "process/process.h"

struct user {
    char *name; /* NULL: it stays who it is */
    uid_t uid;  /* whose it will be */
    gid_t gid;
    bool had_low_ports;
    char *warning; /* NULL: there is none; for the log */
};

/* ST_BAD_INPUT: the configuration names somebody whom we cannot become. */
enum status user_find(const struct config *c, struct user *out, struct diag *why) MUST_CHECK;
void user_free(struct user *u);

/* Hands over the Unix sockets and a log file that was made, becomes that user, and gives up all
 * capabilities. Then all files that a reload would read have to be open to it still: to a `user`
 * that is a condition (ST_BAD_INPUT), to root without capabilities a warning. Before any thread. */
enum status user_become(struct user *u, const struct config *c, const struct process *s,
                        struct diag *why) MUST_CHECK;

/* Tells a configuration that is to replace the first one which rights were given up. */
void user_limit(const struct user *u, struct config *c);

#endif
