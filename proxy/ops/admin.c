#include "ops/admin.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "caller/local.h"
#include "ops/metrics_text.h"
#include "ops/page.h"
#include "ops/ready.h"
#include "ops/status.h"
#include "policy/guard.h"
#include "process/listen.h"

enum { MAX_CALLERS = 64 };

struct admin {
    struct local local;
    /* Places of its own, so that a proxy with too many callers can still be asked. */
    struct quota places;
    struct address addresses[ADDRESS_FAMILIES];
    size_t naddresses;
    pthread_mutex_t lock;
    struct status_facts facts;
    struct admin_actions actions;
    struct metrics *metrics;
    struct process_asker *asker; /* NULL: the kernel cannot be asked */
};

/* ---- the pages ---- */

enum access {
    FOR_ALL,       /* everybody; without a token an answer has no details */
    FOR_OPERATORS, /* only with a token, if tokens are configured */
};

/* An answer that is being made. */
struct page_room {
    struct reply *out;
    struct buf *body;
};

struct page {
    const char *path;
    enum access access;
    bool acts; /* by POST; only if actions are configured */
    const char *content_type;
    void (*answer)(struct admin *a, const struct local_request *r, struct page_room *to);
};

static struct slice path_of(const struct local_request *r)
{
    struct slice rest = r->target.path;

    return slice_split(&rest, '?');
}

/* The value of a parameter of the query, not decoded; p NULL: there is none. */
static struct slice query_value(const struct local_request *r, struct slice name)
{
    struct slice rest = r->target.path;

    (void)slice_split(&rest, '?');
    while (rest.n > 0) {
        struct slice value = slice_split(&rest, '&');
        if (slice_eq(slice_split(&value, '='), name))
            return value.p == NULL ? SLICE("") : value;
    }
    return (struct slice){NULL, 0};
}

/* Has the request a token, or is none needed? */
static bool is_trusted(const struct local_request *r)
{
    const struct tokens *tokens = config_admin_tokens(r->clients->config);

    return tokens == NULL || guard_has_token(tokens, r->head);
}

static void answer_ok(struct admin *a, const struct local_request *r, struct page_room *to)
{
    (void)a;
    (void)r;
    buf_add_string(to->body, "ok\n");
}

static void answer_ready(struct admin *a, const struct local_request *r, struct page_room *to)
{
    struct slice tenant = query_value(r, SLICE("tenant"));

    (void)a;
    if (!ready_write(to->body, r->clients, tenant, is_trusted(r)))
        to->out->status = 503;
}

static struct status_facts facts_of(struct admin *a)
{
    (void)pthread_mutex_lock(&a->lock);
    struct status_facts facts = a->facts;
    (void)pthread_mutex_unlock(&a->lock);
    return facts;
}

static void answer_status(struct admin *a, const struct local_request *r, struct page_room *to)
{
    struct status_facts facts = facts_of(a);

    status_write(to->body, &facts, r->clients);
}

static void answer_page(struct admin *a, const struct local_request *r, struct page_room *to)
{
    struct status_facts facts = facts_of(a);

    page_write(to->body, &facts, r->clients);
    to->out->fields = page_fields;
}

static void answer_style(struct admin *a, const struct local_request *r, struct page_room *to)
{
    (void)a;
    (void)r;
    buf_add_string(to->body, page_style);
    to->out->fields = page_fields;
}

static void answer_metrics(struct admin *a, const struct local_request *r, struct page_room *to)
{
    struct status_facts facts = facts_of(a);
    struct process_facts process;

    (void)pthread_mutex_lock(&a->lock);
    process_ask(a->asker, &process);
    (void)pthread_mutex_unlock(&a->lock);
    metrics_write(to->body, a->metrics, &facts, &process, r->clients);
}

static void answer_action(const struct admin *a, void (*action)(void *ctx), struct page_room *to)
{
    to->out->status = 202;
    buf_add_string(to->body, "accepted\n");
    action(a->actions.ctx);
}

static void answer_quit(struct admin *a, const struct local_request *r, struct page_room *to)
{
    (void)r;
    answer_action(a, a->actions.quit, to);
}

static void answer_reload(struct admin *a, const struct local_request *r, struct page_room *to)
{
    (void)r;
    answer_action(a, a->actions.reload, to);
}

static const char text[] = "text/plain", json[] = "application/json";

static const struct page pages[] = {
    {"/", FOR_OPERATORS, false, PAGE_TYPE, answer_page},
    {"/style.css", FOR_ALL, false, "text/css; charset=utf-8", answer_style},
    {"/live", FOR_ALL, false, text, answer_ok},
    {"/startup", FOR_ALL, false, text, answer_ok}, /* the listener opens only after the start */
    {"/health", FOR_ALL, false, text, answer_ok},
    {"/ready", FOR_ALL, false, json, answer_ready},
    {"/status", FOR_OPERATORS, false, json, answer_status},
    {"/metrics", FOR_OPERATORS, false, METRICS_TYPE, answer_metrics},
    {"/quit", FOR_OPERATORS, true, text, answer_quit},
    {"/reload", FOR_OPERATORS, true, text, answer_reload},
};

static const struct page *find_page(const struct local_request *r)
{
    for (size_t i = 0; i < ARRAY_LEN(pages); i++)
        if (slice_eq(path_of(r), slice_of(pages[i].path)))
            return &pages[i];
    return NULL;
}

/* ---- who may ask ---- */

/* No web page may cause actions, not even one of this listener: none needs to. */
static bool is_from_page(const struct head *h)
{
    return head_has(h, FIELD_ORIGIN) || head_has(h, FIELD_SEC_FETCH_SITE);
}

static bool check_method(const struct local_request *r, const struct page *page,
                         struct failure *why)
{
    const enum method method = r->head->method;
    const bool reads = method == METHOD_GET || method == METHOD_HEAD;

    if (page != NULL && page->acts && method == METHOD_POST) {
        if (r->clients->config->admin_actions && !is_from_page(r->head))
            return true;
        failure_plain(why, FAIL_ADMIN_ACTION);
        return false;
    }
    if (reads && (page == NULL || !page->acts))
        return true;
    failure_plain(why, page != NULL && page->acts ? FAIL_ADMIN_POST : FAIL_ADMIN_METHOD);
    return false;
}

/* A door stays remote, but a reload may have taken away the permission to be reached remotely. */
static bool check_remote(const struct local_request *r, struct failure *why)
{
    const struct config *c = r->clients->config;

    if (!r->door->is_remote || (c->allow_remote && c->admin_tokens != NULL))
        return true;
    failure_set(why, FAIL_HOST_NOT_SERVED,
                "The listener by which the connection came is not served any more.");
    return false;
}

static bool admits(void *ctx, const struct local_request *r, struct failure *why)
{
    const struct page *page = find_page(r);
    struct guard_view view = {.config = r->clients->config,
                              .unix_listener = r->door->is_unix,
                              .remote_listener = r->door->is_remote,
                              .own = r->own,
                              .answers_itself = true,
                              /* find_page() and is_trusted() check its tokens */
                              .tells_nothing = true};

    (void)ctx;
    if (!check_remote(r, why) || !check_method(r, page, why))
        return false;
    if (guard_page(view.config, r->head) != NULL) {
        failure_plain(why, FAIL_FOREIGN_ORIGIN); /* allow-origin is for calls only */
        return false;
    }
    if (!guard_admits(&view, r->head, &r->target, why))
        return false;
    if ((page == NULL || page->access != FOR_ALL) && !is_trusted(r)) {
        failure_plain(why, FAIL_ADMIN_TOKEN);
        return false;
    }
    if (page != NULL)
        return true;
    failure_plain(why, FAIL_ADMIN_PATH);
    return false;
}

/* ---- the service ---- */

static void answer(void *ctx, const struct local_request *r, struct reply *out, struct buf *body,
                   struct buf *fields)
{
    const struct page *page = find_page(r); /* admits() has checked that there is one */

    out->status = 200;
    out->content_type = page->content_type;
    (void)fields;
    page->answer(ctx, r, &(struct page_room){out, body});
    out->body = buf_slice(body);
}

struct admin *admin_new(const struct admin_actions *actions)
{
    struct admin *a = NEW(struct admin);

    a->local = (struct local){.answer = answer, .guard = admits, .ctx = a, .silent = true};
    a->actions = *actions;
    a->metrics = metrics_new();
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
    metrics_free(a->metrics);
    process_asker_free(a->asker);
    free(a);
}

enum status admin_listen(struct admin *a, const struct config *c, bool just_try, struct process *p,
                         struct diag *why)
{
    struct client_door door = {
        .service = &local_service, .ctx = &a->local, .places = &a->places, .for_operators = true};
    struct acceptor *acceptors[ADDRESS_FAMILIES] = {NULL};
    bool opened[ADDRESS_FAMILIES] = {false};
    enum status st =
        listen_open(c->admins, c->nadmins, &c->access, just_try, acceptors, opened, why);

    if (st == ST_OK && c->nadmins > 0)
        a->asker = process_asker_new();
    for (size_t i = 0; st == ST_OK && i < c->nadmins; i++) {
        if (acceptors[i] == NULL)
            continue;
        a->addresses[a->naddresses++] = *acceptor_address(acceptors[i]);
        door.is_unix = address_is_unix(&c->admins[i].address);
        door.is_remote = !address_is_loopback(&c->admins[i].address);
        process_add_door(p, acceptors[i], &door);
    }
    return st;
}

const struct address *admin_address(const struct admin *a, size_t i)
{
    return i < a->naddresses ? &a->addresses[i] : NULL;
}

void admin_show_renewal(struct admin *a, struct renewal *r)
{
    a->facts.renewal = r;
}

void admin_note(struct admin *a, const struct record *r)
{
    metrics_note(a->metrics, r);
}

void admin_note_reload(struct admin *a, const struct diag *why)
{
    (void)pthread_mutex_lock(&a->lock);
    a->facts.reloads++;
    a->facts.refused_us = why == NULL ? 0 : clock_wall_us();
    if (why != NULL)
        a->facts.refused = *why;
    (void)pthread_mutex_unlock(&a->lock);
}
