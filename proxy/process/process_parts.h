/*
 * Shared by the files of struct process: process.c (beginning and end) and
 * process_reload.c (another configuration).
 */
#ifndef PROCESS_PROCESS_PARTS_H
#define PROCESS_PROCESS_PARTS_H

#include <pthread.h>

#include "process/process.h"
#include "process/worker.h"

struct signals;

/* A listener. It lives until the end of the process, because clients point to it. Only its acceptor
 * changes. */
struct door {
    struct process *process;
    struct client_door client; /* the part that clients use */
    char *name;                /* listen_name(); NULL: of process_add_door() */
    char *tenant;
    struct acceptor *acceptor; /* NULL: closed */
};

struct thread {
    struct worker *worker;
    pthread_t id;
};

struct process {
    struct generation *generation; /* the configuration in use */
    const struct process_hooks *hooks;
    struct shared shared;
    struct door **doors;
    size_t ndoors;
    struct thread *threads; /* the first one is the process's own thread */
    size_t nthreads;
    struct clients **clients; /* one for each worker */
    struct upstreams **upstreams;
    size_t next; /* the worker that gets the next connection */
    struct signals *signals;
    struct timer deadline;
    bool stopping, drained;
    size_t running; /* workers whose callers are still served */
};

/* The acceptor's hook. ctx: the struct door. */
void process_on_accept(void *ctx, const struct accepted all[], size_t n);

/* Adds a listener of c and takes ownership of a. */
struct door *process_add_listener(struct process *p, const struct config *c,
                                  const struct listen_address *l, struct acceptor *a);

#endif
