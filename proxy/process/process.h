/*
 * process: what serves: listeners, workers, signals, the end.
 *
 * The first worker runs in the thread that calls process_run(), and takes the
 * connections for all: each in turn gets the next one.
 */
#ifndef PROCESS_PROCESS_H
#define PROCESS_PROCESS_H

#include "caller/client.h"
#include "net/acceptor.h"

struct process;

struct process_hooks {
    record_hook *on_record;
    void (*on_ready)(void *ctx, const struct process *s); /* listening, about to run */
    void (*on_stopping)(void *ctx);
    void (*on_log_reopen)(void *ctx);
    void (*on_reload)(void *ctx); /* SIGHUP */
    void *ctx;
};

/* Opens all listeners. The configuration is shared, the hooks must outlive the process. just_try:
 * no listener is opened, but each is tried; it cannot run. */
enum status process_new(struct config *c, const struct process_hooks *hooks, bool just_try,
                        struct process **out, struct diag *why) MUST_CHECK;

/* Logs what there is to say of who can call. */
void process_announce(const struct process *s);

/* Adds a listener that leads to a service of its own, and takes the acceptor. Before
 * process_run(). */
void process_add_door(struct process *s, struct acceptor *a, const struct client_door *door);

/* Serves until SIGTERM or SIGINT and the running exchanges have ended. True if they did; false
 * after drain-timeout or a second signal. */
bool process_run(struct process *s);

/* Serves by c from now on: all of it, or, if a listener cannot be opened, nothing. Connections of
 * callers stay, those to servers stay where server and identity do. From the process's own
 * thread. */
enum status process_reload(struct process *s, struct config *c, struct diag *why) MUST_CHECK;

/* What is served by now; from the process's own thread. */
const struct config *process_config(const struct process *s);

/* As a signal would; from the process's own thread. */
void process_stop(struct process *s);
bool process_is_stopping(const struct process *s);

void process_free(struct process *s);

size_t process_door_count(const struct process *s);
const struct address *process_door_address(const struct process *s, size_t i);
const char *process_door_tenant(const struct process *s, size_t i); /* or NULL */
struct loop *process_loop(const struct process *s);                 /* of the first worker */

#endif
