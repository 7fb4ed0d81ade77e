#include "ops/admin.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "caller/local.h"
#include "ops/status.h"
#include "policy/guard.h"
#include "process/listen.h"

enum { MAX_CALLERS = 64 };

struct admin {
    struct local local;
    struct quota places; /* of its own: a proxy that is full can still be asked */
    struct address addresses[ADDRESS_FAMILIES];
    size_t naddresses;
    pthread_mutex_t lock;
    struct status_facts facts;
};

/* ---- the service ---- */

static struct slice path_of(const struct local_request *r)
{
    struct slice rest = r->target.path;

    return slice_split(&rest, '?');
}

static bool is_health(struct slice path)
{
    return slice_eq(path, SLICE("/health"));
}

static bool admits(void *ctx, const struct local_request *r, struct failure *why)
{
    struct slice path = path_of(r);
    struct guard_view view = {.config = r->clients->config,
                              .unix_listener = r->is_unix,
                              .answers_itself = true,
                              .tells_nothing = is_health(path)};

    (void)ctx;
    if (r->head->method != METHOD_GET && r->head->method != METHOD_HEAD) {
        failure_plain(why, FAIL_ADMIN_METHOD);
        return false;
    }
    if (guard_page(view.config, r->head) != NULL) {
        failure_plain(why, FAIL_FOREIGN_ORIGIN); /* allow-origin is about calls, not about this */
        return false;
    }
    if (!guard_admits(&view, r->head, &r->target, why))
        return false;
    if (!is_health(path) && !slice_eq(path, SLICE("/status"))) {
        failure_plain(why, FAIL_ADMIN_PATH);
        return false;
    }
    return true;
}

static void answer(void *ctx, const struct local_request *r, struct reply *out, struct buf *body,
                   struct buf *fields)
{
    struct admin *a = ctx;
    bool health = is_health(path_of(r));
    struct status_facts facts;

    (void)fields;
    if (health) {
        buf_add_string(body, "ok\n");
    } else {
        (void)pthread_mutex_lock(&a->lock);
        facts = a->facts;
        (void)pthread_mutex_unlock(&a->lock);
        status_write(body, &facts, r->clients);
    }
    out->status = 200;
    out->content_type = health ? "text/plain" : "application/json";
    out->body = buf_slice(body);
}

struct admin *admin_new(void)
{
    struct admin *a = NEW(struct admin);

    a->local = (struct local){.answer = answer, .guard = admits, .ctx = a, .silent = true};
    quota_init(&a->places, MAX_CALLERS);
    a->facts.begun_us = clock_wall_us();
    (void)pthread_mutex_init(&a->lock, NULL);
    return a;
}

void admin_free(struct admin *a)
{
    if (a == NULL)
        return;
    (void)pthread_mutex_destroy(&a->lock);
    free(a);
}

enum status admin_listen(struct admin *a, const struct config *c, bool just_try, struct process *s,
                         struct diag *why)
{
    struct client_door door = {.service = &local_service, .ctx = &a->local, .places = &a->places};
    struct acceptor *acceptors[ADDRESS_FAMILIES] = {NULL};
    bool opened[ADDRESS_FAMILIES] = {false};
    enum status st =
        listen_open(c->admins, c->nadmins, &c->access, just_try, acceptors, opened, why);

    for (size_t i = 0; st == ST_OK && i < c->nadmins; i++) {
        if (acceptors[i] == NULL)
            continue;
        a->addresses[a->naddresses++] = *acceptor_address(acceptors[i]);
        door.is_unix = address_is_unix(&c->admins[i].address);
        process_add_door(s, acceptors[i], &door);
    }
    return st;
}

const struct address *admin_address(const struct admin *a, size_t i)
{
    return i < a->naddresses ? &a->addresses[i] : NULL;
}

void admin_note_reload(struct admin *a, const struct diag *why)
{
    (void)pthread_mutex_lock(&a->lock);
    a->facts.refused_us = why == NULL ? 0 : clock_wall_us();
    if (why != NULL)
        a->facts.refused = *why;
    (void)pthread_mutex_unlock(&a->lock);
}
