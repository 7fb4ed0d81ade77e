/*
 * process: the serving part of the program: listeners, workers, signals,
 * shutdown.
 *
 * The first worker runs in the thread that calls process_run(), which is called
 * the process's own thread below. It accepts all connections and gives them to
 * the workers in turn.
 */
#ifndef PROCESS_PROCESS_H
#define PROCESS_PROCESS_H

#include "caller/client.h"
#include "net/acceptor.h"

struct process;

struct process_hooks {
    record_hook *on_record;
    void (*on_ready)(void *ctx, const struct process *p); /* listening, about to serve */
    void (*on_stopping)(void *ctx);
    void (*on_log_reopen)(void *ctx);
    void (*on_reload)(void *ctx); /* SIGHUP */
    void *ctx;
};

/* Opens all listeners. The process takes a reference to c; hooks must outlive it. just_try: tries
 * each listener but opens none; such a process cannot run. On failure *why has the reason. */
enum status process_new(struct config *c, const struct process_hooks *hooks, bool just_try,
                        struct process **out, struct diag *why) MUST_CHECK;

/* Logs who can call, if that needs a warning. */
void process_announce(const struct process *p);

/* Adds a listener with a service of its own, and takes ownership of a. Call it before
 * process_run(). */
void process_add_door(struct process *p, struct acceptor *a, const struct client_door *door);

/* Serves until SIGTERM or SIGINT, and then until the running exchanges have ended. Returns false if
 * they were cut off, by drain-timeout or by a second signal. */
bool process_run(struct process *p);

/* Serves by c from now on; if that fails, for example because a listener cannot be opened, nothing
 * changes. Callers' connections stay. Connections to servers stay if server and identity are the
 * same. Call it from the process's own thread. */
enum status process_reload(struct process *p, struct config *c, struct diag *why) MUST_CHECK;

/* The configuration in use. Call it from the process's own thread. */
const struct config *process_config(const struct process *p);

/* Begins the shutdown, as SIGTERM does; a second call cuts off the running exchanges. Call it from
 * the process's own thread. */
void process_stop(struct process *p);
bool process_is_stopping(const struct process *p);

void process_free(struct process *p);

size_t process_door_count(const struct process *p);
const struct address *process_door_address(const struct process *p, size_t i);
const char *process_door_tenant(const struct process *p, size_t i); /* NULL: of all tenants */
struct loop *process_loop(const struct process *p);                 /* of the first worker */

#endif
