/*
 * serve: what `run` and `demo` share: everything around struct process.
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
    /* Listens on nothing and writes nothing; serve_try() has to follow. */
    bool just_try;
    int ready_fd; /* NO_READY_FD: nobody waits */
    int nowhere;  /* a descriptor of /dev/null */
    struct access_log log;
    struct admin *admin;
    size_t doors; /* number of the proxy's own listeners, the first ones */
    /* Loads the configuration again; NULL: there is no reload. */
    enum status (*load)(void *ctx, struct config **out, struct diag *why);
    /* The same by config_load_names_from(). */
    enum status (*load_names)(void *ctx, struct config **out, struct diag *why);
    void *load_ctx;
    struct reloader *reloader;
    /* The arguments with which the program becomes the guard of renewal_guard.h; NULL: nothing
     * is fetched. */
    const char **renewal_arguments;
    struct renewal *renewal; /* NULL: nothing is fetched */
    /* A folder that is removed at the end, with all keys, so its keys need no protection; NULL:
     * none. */
    const char *scratch;
    struct user user;
    struct sandbox *sandbox;
    struct timer expiry_timer;
    struct watchdog watchdog;
    struct expiry expiry;
    /* The configuration's look_again for which a reload was asked for already. */
    int64_t looked;
    struct process *process;
    /* NULL is allowed here and for on_stopped */
    void (*on_ready)(void *ctx, const struct process *p);
    void (*on_stopped)(void *ctx); /* called before the process is freed */
    void *ctx;
};

/* Reads the number of an open descriptor. Returns false after an error message. */
bool serve_parse_ready_fd(const char *command, const char *text, int *fd);

/* Prepares the process (descriptors, log) and opens the listeners. Then gives up everything that
 * serving does not need: privileges, files, system calls. */
enum status serve_open(struct serve *s, struct process **out, struct diag *why) MUST_CHECK;

/* Prints the errors and warnings that `run` would log, and frees the process, which was made with
 * just_try. ST_BAD_INPUT: no tenant could be served. */
enum status serve_try(struct serve *s, struct process *process, struct diag *why) MUST_CHECK;

/* Serves until it is told to end, and frees the process. Returns the exit code. */
int serve_run(struct serve *s, struct process *process);

#endif
