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
    struct process *s = d->process;
    const size_t workers = s->nthreads, first = s->next;

    s->next = (first + n) % workers;
    for (size_t w = 0; w < workers && w < n; w++) {
        struct worker *to = s->threads[(first + w) % workers].worker;
        struct share share;
        share.to = &to->clients;
        share.door = &d->client;
        share.n = 0;
        for (size_t i = w; i < n; i += workers)
            share.accepted[share.n++] = all[i];
        if (to == s->threads[0].worker) {
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

static void stop_all(struct process *s)
{
    for (size_t i = 0; i < s->nthreads; i++)
        loop_post(s->threads[i].worker->loop, stop_worker, s->threads[i].worker);
}

static void count_drained(void *arg)
{
    struct process *s = arg;

    if (--s->running > 0)
        return;
    s->drained = true;
    stop_all(s);
}

static void on_worker_drained(void *ctx, struct clients *c)
{
    struct process *s = ctx;

    (void)c;
    loop_post(s->threads[0].worker->loop, count_drained, s);
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

static void close_doors(struct process *s, bool all)
{
    for (size_t i = 0; i < s->ndoors; i++) {
        struct door *d = s->doors[i];
        if (d->acceptor == NULL || (d->client.for_operators && !all))
            continue;
        if (!all)
            acceptor_take_waiting(d->acceptor);
        acceptor_close(d->acceptor);
        d->acceptor = NULL;
    }
}

void process_stop(struct process *s)
{
    if (s->stopping) {
        log_say(LOG_WARNING, "a second signal: the exchanges that still run are cut off");
        stop_all(s);
        return;
    }
    s->stopping = true;
    log_say(LOG_NOTICE, "shutting down: no new connections, running exchanges may end");
    if (s->hooks->on_stopping != NULL)
        s->hooks->on_stopping(s->hooks->ctx);
    close_doors(s, false);
    timer_start(s->threads[0].worker->loop, &s->deadline, s->generation->config->drain_timeout);
    for (size_t i = 0; i < s->nthreads; i++)
        loop_post(s->threads[i].worker->loop, drain_worker, s->clients[i]);
}

bool process_is_stopping(const struct process *s)
{
    return s->stopping;
}

static void on_signal(void *ctx, int number)
{
    struct process *s = ctx;

    if (number == SIGUSR1 && s->hooks->on_log_reopen != NULL)
        s->hooks->on_log_reopen(s->hooks->ctx);
    if (number == SIGHUP && s->hooks->on_reload != NULL)
        s->hooks->on_reload(s->hooks->ctx);
    if (number == SIGTERM || number == SIGINT)
        process_stop(s);
}

/* ---- listeners ---- */

static void free_door(struct door *d)
{
    free(d->name);
    free(d->tenant);
    free(d);
}

static struct door *add_door(struct process *s, struct acceptor *a, const struct client_door *door)
{
    struct door *d = NEW(struct door);

    d->process = s;
    d->client = *door;
    d->acceptor = a;
    s->doors = mem_grow(s->doors, (s->ndoors + 1) * sizeof(s->doors[0]));
    s->doors[s->ndoors++] = d;
    return d;
}

void process_add_door(struct process *s, struct acceptor *a, const struct client_door *door)
{
    (void)add_door(s, a, door);
}

struct door *process_add_listener(struct process *s, const struct config *c,
                                  const struct listen_address *l, struct acceptor *a)
{
    struct client_door door = {.service = &exchange_service,
                               .is_unix = address_is_unix(&l->address),
                               .is_remote = !address_is_loopback(&l->address),
                               .port = address_port(acceptor_address(a))};
    char name[ADDRESS_TEXT_SIZE];

    if (!door.is_unix && !address_is_wildcard(acceptor_address(a)))
        door.own = *acceptor_address(a);
    struct door *d = add_door(s, a, &door);
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

static void init_shared(struct process *s, const struct config *c)
{
    quota_init(&s->shared.clients.connections, c->max_connections);
    quota_init(&s->shared.clients.turned_away, TURNED_AWAY_MAX);
    quota_init(&s->shared.queue, c->queue);
    quota_init(&s->shared.exchanges.collected, COLLECTED_MAX);
    s->shared.clients.checker = checker_new();
    s->shared.exchanges.cookies = cookies_new();
    s->shared.exchanges.sessions = sessions_new();
    s->shared.clients.census = census_new();
    s->shared.clients.on_record = s->hooks->on_record;
    s->shared.clients.record_ctx = s->hooks->ctx;
    s->shared.clients.on_drained = on_worker_drained;
    s->shared.clients.drained_ctx = s;
}

static enum status open_listeners(struct process *s, const struct config *c, bool just_try,
                                  struct diag *why)
{
    struct acceptor **acceptors = mem_new(c->nlistens * sizeof(struct acceptor *));
    bool *opened = mem_new(c->nlistens);
    enum status st =
        listen_open(c->listens, c->nlistens, &c->access, just_try, acceptors, opened, why);

    for (size_t i = 0; i < c->nlistens; i++)
        if (acceptors[i] != NULL)
            (void)process_add_listener(s, c, &c->listens[i], acceptors[i]);
    free(acceptors);
    free(opened);
    return st;
}

static void make_workers(struct process *s, const struct config *c)
{
    size_t n = count_workers(c);

    s->nthreads = n;
    s->threads = mem_new(n * sizeof(s->threads[0]));
    s->clients = mem_new(n * sizeof(s->clients[0]));
    s->upstreams = mem_new(n * sizeof(s->upstreams[0]));
    for (size_t i = 0; i < n; i++) {
        struct worker *w = worker_new(s->generation, &s->shared);
        s->threads[i].worker = w;
        s->clients[i] = &w->clients;
        s->upstreams[i] = &w->upstreams;
    }
    for (size_t i = 0; i < n; i++)
        worker_join(s->threads[i].worker, s->upstreams, n);
}

enum status process_new(struct config *c, const struct process_hooks *hooks, bool just_try,
                        struct process **out, struct diag *why)
{
    struct process *s = NEW(struct process);

    s->generation = generation_new(c, NULL);
    s->hooks = hooks;
    init_shared(s, c);
    enum status st = open_listeners(s, c, just_try, why);
    if (st != ST_OK) {
        process_free(s);
        return st;
    }
    make_workers(s, c);
    timer_init(&s->deadline, on_deadline, s);
    s->signals = signals_watch(s->threads[0].worker->loop, on_signal, s);
    if (s->signals == NULL) {
        diag_set(why, "signals cannot be watched: %s; raise the limit of open files (ulimit -n)",
                 strerror(errno));
        st = ST_SYSTEM;
    } else {
        st = admission_check(s->clients, s->nthreads, c, why);
    }
    if (st == ST_OK)
        *out = s;
    else
        process_free(s);
    return st;
}

static void *thread_main(void *arg)
{
    struct worker *w = arg;

    log_attach_thread();
    loop_run(w->loop);
    return NULL;
}

static void start_threads(struct process *s)
{
    for (size_t i = 1; i < s->nthreads; i++)
        if (!thread_start(&s->threads[i].id, thread_main, s->threads[i].worker))
            abort(); /* no thread can be made at the start */
}

const struct config *process_config(const struct process *s)
{
    return s->generation->config;
}

void process_announce(const struct process *s)
{
    admission_warn(s->clients, s->nthreads, s->generation->config);
}

bool process_run(struct process *s)
{
    struct loop *l = s->threads[0].worker->loop;

    s->running = s->nthreads;
    start_threads(s);
    process_announce(s);
    for (size_t i = 0; i < s->ndoors; i++)
        acceptor_start(s->doors[i]->acceptor, l, process_on_accept, s->doors[i]);
    if (s->hooks->on_ready != NULL)
        s->hooks->on_ready(s->hooks->ctx, s);
    loop_run(l);
    for (size_t i = 1; i < s->nthreads; i++)
        (void)pthread_join(s->threads[i].id, NULL);
    return s->drained;
}

void process_free(struct process *s)
{
    close_doors(s, true);
    timer_stop(&s->deadline);
    signals_free(s->signals);
    helpers_stop();
    checker_stop(s->shared.clients.checker);
    for (size_t i = 0; i < s->nthreads; i++)
        worker_end(s->threads[i].worker);
    for (size_t i = 0; i < s->nthreads; i++)
        worker_free(s->threads[i].worker);
    checker_free(s->shared.clients.checker);
    cookies_free(s->shared.exchanges.cookies);
    sessions_free(s->shared.exchanges.sessions);
    census_free(s->shared.clients.census);
    for (size_t i = 0; i < s->ndoors; i++)
        free_door(s->doors[i]);
    free(s->doors);
    free(s->threads);
    free(s->clients);
    free(s->upstreams);
    generation_unref(s->generation);
    free(s);
}

size_t process_door_count(const struct process *s)
{
    return s->ndoors;
}

const struct address *process_door_address(const struct process *s, size_t i)
{
    return acceptor_address(s->doors[i]->acceptor);
}

const char *process_door_tenant(const struct process *s, size_t i)
{
    return s->doors[i]->client.tenant;
}

struct loop *process_loop(const struct process *s)
{
    return s->threads[0].worker->loop;
}
