#include "process/process_parts.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "caller/admission.h"
#include "config/fixed.h"
#include "exchange/cookies.h"
#include "exchange/sessions.h"
#include "process/listen.h"

static bool is_among(struct acceptor *const *acceptors, size_t n, const struct acceptor *a)
{
    for (size_t i = 0; i < n; i++)
        if (acceptors[i] == a)
            return true;
    return false;
}

/* The acceptor that already serves the listener of that name, unless it is among the n taken ones:
 * several listeners with port 0 have the same name. */
static struct acceptor *find_acceptor(const struct process *p, const char *name,
                                      struct acceptor *const *taken, size_t n)
{
    for (size_t i = 0; i < p->ndoors; i++) {
        const struct door *d = p->doors[i];
        if (d->acceptor != NULL && d->name != NULL && strcmp(d->name, name) == 0 &&
            !is_among(taken, n, d->acceptor))
            return d->acceptor;
    }
    return NULL;
}

struct adoption {
    struct worker *worker;
    struct generation *generation;
};

static void on_adoption(void *arg)
{
    struct adoption *a = arg;

    LOG_TRACE("reload: a worker serves the new configuration");
    worker_adopt(a->worker, a->generation);
    generation_unref(a->generation);
    free(a);
}

static void hand_out(struct process *p, struct generation *g)
{
    for (size_t i = 0; i < p->nthreads; i++) {
        struct adoption *a = NEW(struct adoption);
        *a = (struct adoption){p->threads[i].worker, generation_ref(g)};
        loop_post(a->worker->loop, on_adoption, a);
    }
}

/* Sets acceptors[i] to the acceptor that already serves listener i of c; NULL: it has to be
 * opened. */
static void find_acceptors(const struct process *p, const struct config *c,
                           struct acceptor **acceptors)
{
    for (size_t i = 0; i < c->nlistens; i++) {
        char name[ADDRESS_TEXT_SIZE];
        listen_name(&c->listens[i], name);
        acceptors[i] = find_acceptor(p, name, acceptors, i);
    }
}

static struct door *door_of(const struct process *p, const struct acceptor *a)
{
    for (size_t i = 0; i < p->ndoors; i++)
        if (p->doors[i]->acceptor == a)
            return p->doors[i];
    return NULL;
}

static bool is_for(const struct door *d, const char *tenant)
{
    return (d->tenant == NULL) == (tenant == NULL) &&
           (tenant == NULL || strcmp(d->tenant, tenant) == 0);
}

static void tell_door(const struct door *d, const char *what)
{
    char address[ADDRESS_TEXT_SIZE];

    address_text(acceptor_address(d->acceptor), address);
    log_say(LOG_NOTICE, "%s %s%s%s%s", what, d->client.is_unix ? "" : "http://", address,
            d->tenant == NULL ? "" : " for tenant ", d->tenant == NULL ? "" : d->tenant);
}

/* If an address is now another tenant's, it keeps its socket, so no connection is refused in
 * between. */
static void use_acceptor(struct process *p, const struct config *c, const struct listen_address *l,
                         struct acceptor *a)
{
    struct door *before = door_of(p, a);

    if (before != NULL && is_for(before, l->tenant < 0 ? NULL : c->tenants[l->tenant]->name))
        return;
    struct door *d = process_add_listener(p, c, l, a);
    if (before == NULL) {
        acceptor_start(a, p->threads[0].worker->loop, process_on_accept, d);
    } else {
        before->acceptor = NULL;
        acceptor_retarget(a, d);
    }
    tell_door(d, "listening on");
}

static void change_doors(struct process *p, const struct config *c, struct acceptor **acceptors)
{
    for (size_t i = 0; i < c->nlistens; i++)
        if (acceptors[i] != NULL)
            use_acceptor(p, c, &c->listens[i], acceptors[i]);
    for (size_t i = 0; i < p->ndoors; i++) {
        struct door *d = p->doors[i];
        if (d->acceptor == NULL || d->name == NULL || is_among(acceptors, c->nlistens, d->acceptor))
            continue;
        tell_door(d, "no longer listening on");
        acceptor_close(d->acceptor);
        d->acceptor = NULL;
    }
}

static void warn_about_fixed(const char *key)
{
    log_say(LOG_WARNING, "%s takes effect at the next start", key);
}

/* Gives all open Unix sockets the access of c. If one fails, change_access() sets all back. */
static enum status permit_all(const struct process *p, const struct config *c, struct diag *why)
{
    enum status st = ST_OK;

    for (size_t i = 0; st == ST_OK && i < p->ndoors; i++)
        if (p->doors[i]->acceptor != NULL)
            st = acceptor_permit(p->doors[i]->acceptor, &c->access, why);
    return st;
}

static enum status change_access(const struct process *p, const struct config *c, struct diag *why)
{
    enum status st = permit_all(p, c, why);
    struct diag again;

    if (st != ST_OK && permit_all(p, p->generation->config, &again) != ST_OK)
        log_say(LOG_ERROR, "a socket is not as it was: %s", again.text);
    return st;
}

enum status process_reload(struct process *p, struct config *c, struct diag *why)
{
    struct acceptor **acceptors = mem_new(c->nlistens * sizeof(struct acceptor *));
    bool *opened = mem_new(c->nlistens);
    enum status st = p->stopping ? ST_BAD_INPUT : admission_check(p->clients, p->nthreads, c, why);

    find_acceptors(p, c, acceptors);
    if (st == ST_OK)
        st = listen_open(c->listens, c->nlistens, &c->access, false, acceptors, opened, why);
    if (st == ST_OK)
        st = change_access(p, c, why);
    if (p->stopping)
        diag_set(why, "the program is ending");
    if (st == ST_OK) {
        struct generation *g = generation_new(c, p->generation);
        log_set_level(c->log_level);
        LOG_TRACE("reload: %zu tenants, %zu listeners", c->ntenants, c->nlistens);
        fixed_compare(p->generation->config, c, warn_about_fixed);
        admission_warn(p->clients, p->nthreads, c);
        atomic_store(&p->shared.clients.connections.limit, c->max_connections);
        atomic_store(&p->shared.queue.limit, c->queue);
        cookies_keep_only(p->shared.exchanges.cookies, c);
        sessions_clear(p->shared.exchanges.sessions);
        change_doors(p, c, acceptors);
        generation_unref(p->generation);
        p->generation = g;
        hand_out(p, g);
    } else {
        listen_close(acceptors, opened, c->nlistens);
    }
    free(acceptors);
    free(opened);
    return st;
}
