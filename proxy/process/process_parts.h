/*
 * What the files of process/process share: process.c (the beginning and the end),
 * process_reload.c (another configuration in between).
 */
#ifndef PROCESS_PROCESS_PARTS_H
#define PROCESS_PROCESS_PARTS_H

#include <pthread.h>

#include "process/process.h"
#include "process/worker.h"

struct signals;

/* A listener. Never changed, and kept to the end: clients hold it. */
struct door {
    struct process *process;
    struct client_door client; /* what clients see of it */
    char *name;                /* listen_name(); NULL: not by configuration */
    char *tenant;
    struct acceptor *acceptor; /* NULL: closed */
};

struct thread {
    struct worker *worker;
    pthread_t id;
};

struct process {
    struct generation *generation; /* what is served */
    const struct process_hooks *hooks;
    struct shared shared;
    struct door **doors;
    size_t ndoors;
    struct thread *threads; /* the first is the one that called process_run() */
    size_t nthreads;
    struct clients **clients; /* of each worker */
    struct upstreams **upstreams;
    size_t next; /* worker that gets the next connection */
    struct signals *signals;
    struct timer deadline;
    bool stopping, drained;
    size_t running; /* workers that are not drained yet */
};

/* Of an acceptor, with its door. */
void process_on_accept(void *ctx, const struct accepted all[], size_t n);

/* Takes the acceptor. */
struct door *process_add_listener(struct process *s, const struct config *c,
                                  const struct listen_address *l, struct acceptor *a);

#endif
