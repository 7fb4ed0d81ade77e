/*
 * user: the user that the process runs as while it serves, without privileges.
 *
 * First everything is opened that needs root (low ports, root's files). Then
 * the process becomes the `user` of the configuration, and gives up all
 * capabilities, whoever it is. A reload has to work without them.
 */
#ifndef OPS_USER_H
#define OPS_USER_H

#include <sys/types.h>

#include "config/config.h"
#include "process/process.h"

struct user {
    char *name; /* NULL: the user does not change */
    uid_t uid;  /* the uid to serve with */
    gid_t gid;
    bool had_low_ports;
    char *warning; /* for the log; NULL: there is none */
};

/* Finds the configured user. ST_BAD_INPUT: the process cannot become that user. */
enum status user_find(const struct config *c, struct user *out, struct diag *why) MUST_CHECK;
void user_free(struct user *u);

/* Gives the user the Unix sockets and a log file that was just created, becomes that user, and
 * gives up all capabilities. Then checks that all files of c can still be read for a reload: for a
 * `user` it is an error if not (ST_BAD_INPUT), for root without capabilities a warning. p NULL:
 * nothing was opened, for example by `check`. Call it before any thread. */
enum status user_become(struct user *u, const struct config *c, const struct process *p,
                        struct diag *why) MUST_CHECK;

/* Notes in c, the configuration of a reload, which rights were given up. */
void user_limit(const struct user *u, struct config *c);

#endif
