/*
 * serve: what `run` and `demo` share: what surrounds the process that serves.
 */
#ifndef CLI_SERVE_H
#define CLI_SERVE_H

#include "config/config.h"
#include "ops/access_log.h"
#include "ops/expiry.h"
#include "ops/renewal.h"
#include "ops/sandbox.h"
#include "ops/user.h"
#include "ops/watchdog.h"
#include "process/process.h"

enum { NO_READY_FD = -1 };

struct serve {
    struct config *config;
    bool just_try; /* nothing is listened on or written: serve_try() is to follow */
    int ready_fd;  /* NO_READY_FD: nobody waits */
    int nowhere;   /* /dev/null */
    struct access_log log;
    struct admin *admin;
    size_t doors; /* listeners of the proxy itself: the first ones */
    enum status (*load)(void *ctx, struct config **out, struct diag *why); /* NULL: no reload */
    /* The same as config_load_names_from() loads it. */
    enum status (*load_names)(void *ctx, struct config **out, struct diag *why);
    void *load_ctx;
    struct reloader *reloader;
    const char **renewal_arguments; /* by which the program becomes the keeper of renewal.h; NULL:
                                 nothing is fetched */
    struct renewal *renewal;        /* NULL: nothing is fetched */
    const char *scratch; /* a folder that will be removed in the end, and all keys with it: nothing
                            to protect; NULL: there is none */
    struct user user;
    struct sandbox *sandbox;
    struct timer expiry_timer;
    struct watchdog watchdog;
    struct expiry expiry;
    int64_t looked; /* the look_again of a configuration for which a reload was asked already */
    struct process *process;
    void (*on_ready)(void *ctx, const struct process *s); /* may be NULL, as the next */
    void (*on_stopped)(void *ctx);                        /* the process is still there */
    void *ctx;
};

/* "3" as a descriptor that is open; false and a sentence on stderr if it is none. */
bool serve_parse_ready_fd(const char *command, const char *text, int *fd);

/* Prepares the process (descriptors, log), opens the listeners, and then gives up all that serving
 * does not need: privileges, files, system calls. */
enum status serve_open(struct serve *s, struct process **out, struct diag *why) MUST_CHECK;

/* Tells what `run` would log as an error or a warning, and frees the process, which just_try made.
 * ST_BAD_INPUT: no tenant could be served. */
enum status serve_try(struct serve *s, struct process *process, struct diag *why) MUST_CHECK;

/* Serves until told to end; frees the process. Returns the exit code. */
int serve_run(struct serve *s, struct process *process);

#endif
