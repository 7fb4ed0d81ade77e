#include "process/process_parts.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/thread.h"
#include "caller/admission.h"
#include "caller/arrival.h"
#include "caller/census.h"
#include "caller/checker.h"
#include "exchange/cookies.h"
#include "exchange/sessions.h"
#include "exchange/exchange.h"
#include "net/helpers.h"
#include "process/listen.h"
#include "process/signals.h"
#include "process/worker.h"

enum { TURNED_AWAY_MAX = 256 };

/* ---- connections ---- */

/* The connections of one listener that one worker gets at once. */
struct share {
    struct clients *to;
    const struct client_door *door;
    size_t n;
    struct accepted accepted[ACCEPTED_MAX];
};

static void on_share(void *arg)
{
    struct share *s = arg;

    arrival_take(s->to, s->door, s->accepted, s->n);
    free(s);
}

/* The workers get the connections in turn. The first worker takes its share at once; the others get
 * theirs by loop_post(). */
void process_on_accept(void *ctx, const struct accepted all[], size_t n)
{
    struct door *d = ctx;
    struct process *p = d->process;
    const size_t workers = p->nthreads, first = p->next;

    p->next = (first + n) % workers;
    for (size_t w = 0; w < workers && w < n; w++) {
        struct worker *to = p->threads[(first + w) % workers].worker;
        struct share share;
        share.to = &to->clients;
        share.door = &d->client;
        share.n = 0;
        for (size_t i = w; i < n; i += workers)
            share.accepted[share.n++] = all[i];
        if (to == p->threads[0].worker) {
            arrival_take(share.to, share.door, share.accepted, share.n);
            continue;
        }
        struct share *posted = NEW(struct share);
        *posted = share;
        loop_post(to->loop, on_share, posted);
    }
}

/* ---- the end ---- */

static void stop_worker(void *arg)
{
    struct worker *w = arg;

    loop_stop(w->loop);
}

static void stop_all(struct process *p)
{
    for (size_t i = 0; i < p->nthreads; i++)
        loop_post(p->threads[i].worker->loop, stop_worker, p->threads[i].worker);
}

static void count_drained(void *arg)
{
    struct process *p = arg;

    if (--p->running > 0)
        return;
    p->drained = true;
    stop_all(p);
}

static void on_worker_drained(void *ctx, struct clients *c)
{
    struct process *p = ctx;

    (void)c;
    loop_post(p->threads[0].worker->loop, count_drained, p);
}

static void on_deadline(void *ctx)
{
    log_say(LOG_WARNING, "drain-timeout has passed: the exchanges that still run are cut off");
    stop_all(ctx);
}

static void drain_worker(void *arg)
{
    client_drain_all(arg);
}

static void close_doors(struct process *p, bool all)
{
    for (size_t i = 0; i < p->ndoors; i++) {
        struct door *d = p->doors[i];
        if (d->acceptor == NULL || (d->client.for_operators && !all))
            continue;
        if (!all)
            acceptor_take_waiting(d->acceptor);
        acceptor_close(d->acceptor);
        d->acceptor = NULL;
    }
}

void process_stop(struct process *p)
{
    if (p->stopping) {
        log_say(LOG_WARNING, "a second signal: the exchanges that still run are cut off");
        stop_all(p);
        return;
    }
    p->stopping = true;
    log_say(LOG_NOTICE, "shutting down: no new connections, running exchanges may end");
    if (p->hooks->on_stopping != NULL)
        p->hooks->on_stopping(p->hooks->ctx);
    close_doors(p, false);
    timer_start(p->threads[0].worker->loop, &p->deadline, p->generation->config->drain_timeout);
    for (size_t i = 0; i < p->nthreads; i++)
        loop_post(p->threads[i].worker->loop, drain_worker, p->clients[i]);
}

bool process_is_stopping(const struct process *p)
{
    return p->stopping;
}

static void on_signal(void *ctx, int number)
{
    struct process *p = ctx;

    if (number == SIGUSR1 && p->hooks->on_log_reopen != NULL)
        p->hooks->on_log_reopen(p->hooks->ctx);
    if (number == SIGHUP && p->hooks->on_reload != NULL)
        p->hooks->on_reload(p->hooks->ctx);
    if (number == SIGTERM || number == SIGINT)
        process_stop(p);
}

/* ---- listeners ---- */

static void free_door(struct door *d)
{
    free(d->name);
    free(d->tenant);
    free(d);
}

static struct door *add_door(struct process *p, struct acceptor *a, const struct client_door *door)
{
    struct door *d = NEW(struct door);

    d->process = p;
    d->client = *door;
    d->acceptor = a;
    p->doors = mem_grow(p->doors, (p->ndoors + 1) * sizeof(p->doors[0]));
    p->doors[p->ndoors++] = d;
    return d;
}

void process_add_door(struct process *p, struct acceptor *a, const struct client_door *door)
{
    (void)add_door(p, a, door);
}

struct door *process_add_listener(struct process *p, const struct config *c,
                                  const struct listen_address *l, struct acceptor *a)
{
    struct client_door door = {.service = &exchange_service,
                               .is_unix = address_is_unix(&l->address),
                               .is_remote = !address_is_loopback(&l->address),
                               .port = address_port(acceptor_address(a))};
    char name[ADDRESS_TEXT_SIZE];

    if (!door.is_unix && !address_is_wildcard(acceptor_address(a)))
        door.own = *acceptor_address(a);
    struct door *d = add_door(p, a, &door);
    listen_name(l, name);
    d->name = mem_copy_string(name);
    if (l->tenant >= 0)
        d->client.tenant = d->tenant = mem_copy_string(c->tenants[l->tenant]->name);
    return d;
}

/* ---- the beginning ---- */

static size_t count_workers(const struct config *c)
{
    cpu_set_t cpus;

    if (c->workers > 0)
        return (size_t)c->workers;
    return sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? (size_t)CPU_COUNT(&cpus) : 1;
}

static void init_shared(struct process *p, const struct config *c)
{
    quota_init(&p->shared.clients.connections, c->max_connections);
    quota_init(&p->shared.clients.turned_away, TURNED_AWAY_MAX);
    quota_init(&p->shared.queue, c->queue);
    quota_init(&p->shared.exchanges.collected, COLLECTED_MAX);
    p->shared.clients.checker = checker_new();
    p->shared.exchanges.cookies = cookies_new();
    p->shared.exchanges.sessions = sessions_new();
    p->shared.clients.census = census_new();
    p->shared.clients.on_record = p->hooks->on_record;
    p->shared.clients.record_ctx = p->hooks->ctx;
    p->shared.clients.on_drained = on_worker_drained;
    p->shared.clients.drained_ctx = p;
}

static enum status open_listeners(struct process *p, const struct config *c, bool just_try,
                                  struct diag *why)
{
    struct acceptor **acceptors = mem_new(c->nlistens * sizeof(struct acceptor *));
    bool *opened = mem_new(c->nlistens);
    enum status st =
        listen_open(c->listens, c->nlistens, &c->access, just_try, acceptors, opened, why);

    for (size_t i = 0; i < c->nlistens; i++)
        if (acceptors[i] != NULL)
            (void)process_add_listener(p, c, &c->listens[i], acceptors[i]);
    free(acceptors);
    free(opened);
    return st;
}

static void make_workers(struct process *p, const struct config *c)
{
    size_t n = count_workers(c);

    p->nthreads = n;
    p->threads = mem_new(n * sizeof(p->threads[0]));
    p->clients = mem_new(n * sizeof(p->clients[0]));
    p->upstreams = mem_new(n * sizeof(p->upstreams[0]));
    for (size_t i = 0; i < n; i++) {
        struct worker *w = worker_new(p->generation, &p->shared);
        p->threads[i].worker = w;
        p->clients[i] = &w->clients;
        p->upstreams[i] = &w->upstreams;
    }
    for (size_t i = 0; i < n; i++)
        worker_join(p->threads[i].worker, p->upstreams, n);
}

enum status process_new(struct config *c, const struct process_hooks *hooks, bool just_try,
                        struct process **out, struct diag *why)
{
    struct process *p = NEW(struct process);

    p->generation = generation_new(c, NULL);
    p->hooks = hooks;
    init_shared(p, c);
    enum status st = open_listeners(p, c, just_try, why);
    if (st != ST_OK) {
        process_free(p);
        return st;
    }
    make_workers(p, c);
    timer_init(&p->deadline, on_deadline, p);
    p->signals = signals_watch(p->threads[0].worker->loop, on_signal, p);
    if (p->signals == NULL) {
        diag_set(why, "signals cannot be watched: %s; raise the limit of open files (ulimit -n)",
                 strerror(errno));
        st = ST_SYSTEM;
    } else {
        st = admission_check(p->clients, p->nthreads, c, why);
    }
    if (st == ST_OK)
        *out = p;
    else
        process_free(p);
    return st;
}

static void *thread_main(void *arg)
{
    struct worker *w = arg;

    log_attach_thread();
    loop_run(w->loop);
    return NULL;
}

static void start_threads(struct process *p)
{
    for (size_t i = 1; i < p->nthreads; i++)
        if (!thread_start(&p->threads[i].id, thread_main, p->threads[i].worker))
            abort(); /* no thread can be made at the start */
}

const struct config *process_config(const struct process *p)
{
    return p->generation->config;
}

void process_announce(const struct process *p)
{
    admission_warn(p->clients, p->nthreads, p->generation->config);
}

bool process_run(struct process *p)
{
    struct loop *l = p->threads[0].worker->loop;

    p->running = p->nthreads;
    start_threads(p);
    process_announce(p);
    for (size_t i = 0; i < p->ndoors; i++)
        acceptor_start(p->doors[i]->acceptor, l, process_on_accept, p->doors[i]);
    if (p->hooks->on_ready != NULL)
        p->hooks->on_ready(p->hooks->ctx, p);
    loop_run(l);
    for (size_t i = 1; i < p->nthreads; i++)
        (void)pthread_join(p->threads[i].id, NULL);
    return p->drained;
}

void process_free(struct process *p)
{
    close_doors(p, true);
    timer_stop(&p->deadline);
    signals_free(p->signals);
    helpers_stop();
    checker_stop(p->shared.clients.checker);
    for (size_t i = 0; i < p->nthreads; i++)
        worker_end(p->threads[i].worker);
    for (size_t i = 0; i < p->nthreads; i++)
        worker_free(p->threads[i].worker);
    checker_free(p->shared.clients.checker);
    cookies_free(p->shared.exchanges.cookies);
    sessions_free(p->shared.exchanges.sessions);
    census_free(p->shared.clients.census);
    for (size_t i = 0; i < p->ndoors; i++)
        free_door(p->doors[i]);
    free(p->doors);
    free(p->threads);
    free(p->clients);
    free(p->upstreams);
    generation_unref(p->generation);
    free(p);
}

size_t process_door_count(const struct process *p)
{
    return p->ndoors;
}

const struct address *process_door_address(const struct process *p, size_t i)
{
    return acceptor_address(p->doors[i]->acceptor);
}

const char *process_door_tenant(const struct process *p, size_t i)
{
    return p->doors[i]->client.tenant;
}

struct loop *process_loop(const struct process *p)
{
    return p->threads[0].worker->loop;
}
