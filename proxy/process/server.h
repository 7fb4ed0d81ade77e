/*
 * server: the process that serves: listeners, workers, signals, the end.
 *
 * The first worker runs in the thread that calls server_run(), and takes the
 * connections for all: each in turn gets the next one.
 */
#ifndef PROCESS_SERVER_H
#define PROCESS_SERVER_H

#include "caller/client.h"
#include "net/acceptor.h"

struct server;

struct server_hooks {
    record_hook *on_record;
    void (*on_ready)(void *ctx, const struct server *s); /* listening, about to run */
    void (*on_stopping)(void *ctx);
    void (*on_log_reopen)(void *ctx);
    void (*on_reload)(void *ctx); /* SIGHUP */
    void *ctx;
};

/* Opens all listeners. The configuration is shared, the hooks must outlive the server. just_try: no
 * listener is opened, but each is tried; such a server cannot run. */
enum status server_new(struct config *c, const struct server_hooks *hooks, bool just_try,
                       struct server **out, struct diag *why) MUST_CHECK;

/* Logs what is to be said of who can call. */
void server_announce(const struct server *s);

/* Adds a listener that leads to a service of its own, and takes the acceptor. Before
 * server_run(). */
void server_add_door(struct server *s, struct acceptor *a, const struct client_door *door);

/* Serves until SIGTERM or SIGINT and the running exchanges have ended. True if they did; false
 * after drain-timeout or a second signal. */
bool server_run(struct server *s);

/* Serves by c from now on: all of it, or, if a listener cannot be opened, nothing. Connections of
 * callers stay, those to servers stay where server and identity do. From the server's own
 * thread. */
enum status server_reload(struct server *s, struct config *c, struct diag *why) MUST_CHECK;

/* What is served by now; from the server's own thread. */
const struct config *server_config(const struct server *s);

/* As a signal would; from the server's own thread. */
void server_stop(struct server *s);

void server_free(struct server *s);

size_t server_door_count(const struct server *s);
const struct address *server_door_address(const struct server *s, size_t i);
const char *server_door_tenant(const struct server *s, size_t i); /* or NULL */
struct loop *server_loop(const struct server *s);                 /* of the first worker */

#endif
