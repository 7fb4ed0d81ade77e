#include "core/server.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/mem.h"
#include "core/exchange.h"
#include "core/worker.h"

enum { TURNED_AWAY_MAX = 256 };

/* A listener. */
struct door {
    struct server *server;
    struct client_door client; /* first would do as well: what clients see of it */
    struct acceptor *acceptor;
};

struct thread {
    struct worker *worker;
    pthread_t id;
};

struct server {
    struct config *config;
    const struct server_hooks *hooks;
    struct shared shared;
    struct door **doors;
    size_t ndoors;
    struct thread *threads; /* the first is the one that called server_run() */
    size_t next;            /* worker that gets the next connection */
    struct event *signals[3];
    struct timer deadline;
    bool stopping, drained;
    size_t running; /* workers that are not drained yet */
};

/* ---- connections ---- */

struct arrival {
    struct worker *worker;
    const struct client_door *door;
    int fd;
};

static void on_arrival(void *arg)
{
    struct arrival *a = arg;

    client_accept(a->worker, a->door, a->fd);
    free(a);
}

static void on_accept(void *ctx, int fd)
{
    struct door *d = ctx;
    struct server *s = d->server;
    struct worker *w = s->threads[s->next].worker;

    s->next = (s->next + 1) % s->shared.nworkers;
    if (w == s->threads[0].worker) {
        client_accept(w, &d->client, fd);
        return;
    }
    struct arrival *a = NEW(struct arrival);
    *a = (struct arrival){w, &d->client, fd};
    loop_post(w->loop, on_arrival, a);
}

/* ---- the end ---- */

static void stop_worker(void *arg)
{
    struct worker *w = arg;

    loop_stop(w->loop);
}

static void stop_all(struct server *s)
{
    for (size_t i = 0; i < s->shared.nworkers; i++)
        loop_post(s->threads[i].worker->loop, stop_worker, s->threads[i].worker);
}

static void count_drained(void *arg)
{
    struct server *s = arg;

    if (--s->running > 0)
        return;
    s->drained = true;
    stop_all(s);
}

static void on_worker_drained(void *ctx, struct worker *w)
{
    struct server *s = ctx;

    (void)w;
    loop_post(s->threads[0].worker->loop, count_drained, s);
}

static void on_deadline(void *ctx)
{
    log_say(LOG_WARNING, "drain-timeout has passed: the exchanges that still run are cut off");
    stop_all(ctx);
}

static void drain_worker(void *arg)
{
    worker_drain(arg);
}

static void close_doors(struct server *s)
{
    for (size_t i = 0; i < s->ndoors; i++) {
        if (s->doors[i]->acceptor != NULL)
            acceptor_close(s->doors[i]->acceptor);
        s->doors[i]->acceptor = NULL;
    }
}

void server_stop(struct server *s)
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
    close_doors(s);
    timer_start(s->threads[0].worker->loop, &s->deadline, s->config->drain_timeout);
    for (size_t i = 0; i < s->shared.nworkers; i++)
        loop_post(s->threads[i].worker->loop, drain_worker, s->threads[i].worker);
}

static void on_stop_signal(evutil_socket_t number, short what, void *arg)
{
    (void)number;
    (void)what;
    server_stop(arg);
}

static void on_reopen_signal(evutil_socket_t number, short what, void *arg)
{
    struct server *s = arg;

    (void)number;
    (void)what;
    if (s->hooks->on_log_reopen != NULL)
        s->hooks->on_log_reopen(s->hooks->ctx);
}

/* ---- the beginning ---- */

static size_t count_workers(const struct config *c)
{
    cpu_set_t cpus;

    if (c->workers > 0)
        return (size_t)c->workers;
    return sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? (size_t)CPU_COUNT(&cpus) : 1;
}

static void init_shared(struct server *s)
{
    const struct config *c = s->config;

    quota_init(&s->shared.clients, c->max_connections);
    quota_init(&s->shared.turned_away, TURNED_AWAY_MAX);
    quota_init(&s->shared.queue, c->queue);
    s->shared.tenants = mem_new(c->ntenants * sizeof(s->shared.tenants[0]));
    for (size_t i = 0; i < c->ntenants; i++) {
        quota_init(&s->shared.tenants[i].upstreams, c->tenants[i]->max_upstream);
        atomic_init(&s->shared.tenants[i].waiting, 0);
    }
    s->shared.on_record = s->hooks->on_record;
    s->shared.record_ctx = s->hooks->ctx;
    s->shared.on_drained = on_worker_drained;
    s->shared.drained_ctx = s;
}

void server_add_door(struct server *s, struct acceptor *a, const struct client_door *door)
{
    struct door *d = NEW(struct door);

    d->server = s;
    d->client = *door;
    d->acceptor = a;
    s->doors = mem_grow(s->doors, (s->ndoors + 1) * sizeof(s->doors[0]));
    s->doors[s->ndoors++] = d;
}

/* A machine without IPv6 is no reason not to serve, as long as nobody asked for it. */
static enum status open_listener(struct server *s, const struct listen_address *l, struct diag *why)
{
    const struct client_door door = {
        .service = &exchange_service, .tenant = l->tenant, .is_unix = address_is_unix(&l->address)};
    bool optional = s->config->default_listens && l->address.any.sa_family == AF_INET6;
    struct acceptor *a;

    if (optional && !address_is_available(&l->address))
        return ST_OK;
    enum status st = acceptor_open(&l->address, &a, why);
    if (st == ST_OK)
        server_add_door(s, a, &door);
    else if (!s->config->default_listens)
        diag_prefix(why, "%s", l->where);
    return st;
}

enum status server_new(struct config *c, const struct server_hooks *hooks, struct server **out,
                       struct diag *why)
{
    struct server *s = NEW(struct server);
    enum status st = ST_OK;

    s->config = config_ref(c);
    s->hooks = hooks;
    init_shared(s);
    for (size_t i = 0; st == ST_OK && i < c->nlistens; i++)
        st = open_listener(s, &c->listens[i], why);
    if (st != ST_OK) {
        server_free(s);
        return st;
    }
    s->shared.nworkers = count_workers(c);
    s->threads = mem_new(s->shared.nworkers * sizeof(s->threads[0]));
    s->shared.workers = mem_new(s->shared.nworkers * sizeof(struct worker *));
    for (size_t i = 0; i < s->shared.nworkers; i++)
        s->shared.workers[i] = s->threads[i].worker = worker_new(c, &s->shared);
    timer_init(&s->deadline, on_deadline, s);
    *out = s;
    return ST_OK;
}

static void *thread_main(void *arg)
{
    struct worker *w = arg;

    log_attach_thread();
    loop_run(w->loop);
    return NULL;
}

static void watch_signals(struct server *s)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGUSR1};
    struct event_base *base = loop_base(s->threads[0].worker->loop);

    (void)signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        (void)signal(numbers[i], SIG_IGN); /* what libevent restores: nobody dies at the very end */
        s->signals[i] = evsignal_new(base, numbers[i],
                                     numbers[i] == SIGUSR1 ? on_reopen_signal : on_stop_signal, s);
        (void)event_add(s->signals[i], NULL);
    }
}

/* Signals are the first thread's: the others inherit a mask that blocks them all. */
static void start_threads(struct server *s)
{
    sigset_t all, old;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &old);
    for (size_t i = 1; i < s->shared.nworkers; i++)
        if (pthread_create(&s->threads[i].id, NULL, thread_main, s->threads[i].worker) != 0)
            abort(); /* the system has no thread for us at start */
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
}

bool server_run(struct server *s)
{
    struct loop *l = s->threads[0].worker->loop;

    s->running = s->shared.nworkers;
    watch_signals(s);
    start_threads(s);
    for (size_t i = 0; i < s->ndoors; i++)
        acceptor_start(s->doors[i]->acceptor, l, on_accept, s->doors[i]);
    if (s->hooks->on_ready != NULL)
        s->hooks->on_ready(s->hooks->ctx, s);
    loop_run(l);
    for (size_t i = 1; i < s->shared.nworkers; i++)
        (void)pthread_join(s->threads[i].id, NULL);
    return s->drained;
}

void server_free(struct server *s)
{
    close_doors(s);
    timer_stop(&s->deadline);
    for (size_t i = 0; i < ARRAY_LEN(s->signals); i++)
        if (s->signals[i] != NULL)
            event_free(s->signals[i]);
    resolve_stop_all();
    for (size_t i = 0; s->threads != NULL && i < s->shared.nworkers; i++)
        worker_end(s->threads[i].worker);
    for (size_t i = 0; s->threads != NULL && i < s->shared.nworkers; i++)
        worker_free(s->threads[i].worker);
    for (size_t i = 0; i < s->ndoors; i++)
        free(s->doors[i]);
    free(s->doors);
    free(s->threads);
    free(s->shared.workers);
    free(s->shared.tenants);
    config_unref(s->config);
    free(s);
}

size_t server_door_count(const struct server *s)
{
    return s->ndoors;
}

const struct address *server_door_address(const struct server *s, size_t i)
{
    return acceptor_address(s->doors[i]->acceptor);
}

const char *server_door_tenant(const struct server *s, size_t i)
{
    int tenant = s->doors[i]->client.tenant;

    return tenant < 0 ? NULL : s->config->tenants[tenant]->name;
}

struct loop *server_loop(const struct server *s)
{
    return s->threads[0].worker->loop;
}
