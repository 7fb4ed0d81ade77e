#include "ops/admin.h"

#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "caller/local.h"
#include "exchange/exchanges.h"
#include "policy/guard.h"
#include "process/listen.h"
#include "tls/facts.h"

enum { MAX_CALLERS = 64 };

struct admin {
    struct local local;
    struct quota places; /* of its own: a proxy that is full can still be asked */
    struct address addresses[ADDRESS_FAMILIES];
    size_t naddresses;
    int64_t begun_us;
    pthread_mutex_t lock;
    int64_t refused_us; /* 0: the last reload, if there was one, is in use */
    struct diag refused;
};

/* ---- what is told ---- */

static void add_time(struct buf *b, const char *name, int64_t wall_us)
{
    char text[CLOCK_TEXT_SIZE];

    clock_text(wall_us, text);
    json_add_member(b, name, slice_of(text));
}

static void add_refused(struct admin *a, struct buf *b)
{
    (void)pthread_mutex_lock(&a->lock);
    if (a->refused_us == 0) {
        buf_add_string(b, ",\"refused\":null");
    } else {
        buf_add_string(b, ",\"refused\":{");
        add_time(b, "time", a->refused_us);
        json_add_member(b, "reason", slice_of(a->refused.text));
        buf_add_string(b, "}");
    }
    (void)pthread_mutex_unlock(&a->lock);
}

static void add_configuration(struct admin *a, const struct config *c, struct buf *b)
{
    static const char *const levels[] = {
        [LOG_ERROR] = "error", [LOG_WARNING] = "warning", [LOG_NOTICE] = "notice"};

    buf_add_string(b, ",\"configuration\":{");
    json_add_member(b, "file", slice_of(c->file));
    add_time(b, "loaded", c->begun_us);
    add_refused(a, b);
    buf_add_string(b, ",\"notes\":[");
    for (size_t i = 0; i < c->nnotes; i++) {
        buf_add_string(b, i == 0 ? "{" : ",{");
        json_add_member(b, "level", slice_of(levels[c->notes[i].level]));
        json_add_member(b, "sentence", slice_of(c->notes[i].sentence));
        buf_add_string(b, "}");
    }
    buf_add_string(b, "]}");
}

static void add_quota(struct buf *b, const char *name, struct quota *q)
{
    buf_addf(b, ",\"%s\":{\"used\":%lld,\"limit\":%lld}", name, (long long)atomic_load(&q->used),
             (long long)atomic_load(&q->limit));
}

/* "valid", or why it cannot be presented. */
static const char *validity(const struct credential *c, int64_t now)
{
    return credential_not_after(c) < now    ? "expired"
           : credential_not_before(c) > now ? "not-yet-valid"
                                            : "valid";
}

static void add_certificate(struct buf *b, const struct tenant *t, int i, bool in_use, int64_t now)
{
    const struct identity *id = &t->identities[i];
    struct facts f;

    facts_collect(id->credential, now, &f);
    buf_add_string(b, "{");
    json_add_member(b, "option", slice_of(identity_title(i)));
    json_add_member(b, "file", slice_of(id->certificate));
    buf_addf(b, ",\"in_use\":%s", in_use ? "true" : "false");
    json_add_member(b, "state", slice_of(validity(id->credential, now)));
    json_add_member(b, "subject", slice_of(f.subject));
    json_add_member(b, "issuer", slice_of(f.issuer));
    json_add_member(b, "serial", buf_slice(&f.serial));
    json_add_member(b, "not_before", slice_of(f.not_before));
    json_add_member(b, "not_after", slice_of(f.not_after));
    buf_addf(b, ",\"days_left\":%lld", f.days_left);
    json_add_member(b, "sha256", buf_slice(&f.sha256));
    buf_add_string(b, "}");
    facts_free(&f);
}

static void add_tenant(struct buf *b, const struct tenant *t, struct shared_tenant *shared,
                       int64_t now)
{
    bool first = true;

    json_add_member(b, "name", slice_of(t->name));
    json_add_member(b, "company_id", slice_of(t->company_id));
    json_add_member(b, "server", slice_of(t->host_field));
    add_quota(b, "connections", &shared->upstreams);
    buf_addf(b, ",\"waiting\":%d,\"certificates\":[", atomic_load(&shared->waiting));
    for (int i = 0; i < IDENTITIES; i++) {
        if (!tenant_has_identity(t, i))
            continue;
        buf_add_string(b, first ? "" : ",");
        add_certificate(b, t, i, i == overlap_in_use(&shared->overlap), now);
        first = false;
    }
    buf_add_string(b, "]");
}

static void add_status(struct admin *a, const struct clients *clients, struct buf *b)
{
    const struct exchanges *all = clients->services;
    const struct generation *g = all->upstreams->generation;
    int64_t now = clock_wall_us();

    buf_add_string(b, "{");
    json_add_member(b, "version", slice_of(SFMTLS_VERSION));
    buf_addf(b, ",\"pid\":%ld", (long)getpid());
    add_time(b, "started", a->begun_us);
    add_time(b, "time", now);
    add_configuration(a, g->config, b);
    add_quota(b, "callers", &clients->shared->clients);
    add_quota(b, "queue", all->upstreams->queue);
    buf_addf(b, ",\"log\":{\"lost\":%llu}", (unsigned long long)log_lost());
    buf_add_string(b, ",\"tenants\":[");
    for (size_t i = 0; i < g->config->ntenants; i++) {
        buf_add_string(b, i == 0 ? "{" : ",{");
        add_tenant(b, g->config->tenants[i], g->tenants[i], now / 1000000);
        buf_add_string(b, "}");
    }
    buf_add_string(b, "]}\n");
}

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
    bool health = is_health(path_of(r));

    (void)fields;
    if (health)
        buf_add_string(body, "ok\n");
    else
        add_status(ctx, r->clients, body);
    out->status = 200;
    out->content_type = health ? "text/plain" : "application/json";
    out->body = buf_slice(body);
}

struct admin *admin_new(void)
{
    struct admin *a = NEW(struct admin);

    a->local = (struct local){.answer = answer, .guard = admits, .ctx = a, .silent = true};
    quota_init(&a->places, MAX_CALLERS);
    a->begun_us = clock_wall_us();
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
    a->refused_us = why == NULL ? 0 : clock_wall_us();
    if (why != NULL)
        a->refused = *why;
    (void)pthread_mutex_unlock(&a->lock);
}
