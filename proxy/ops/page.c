#include "ops/page.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "config/parent_proxy.h"
#include "exchange/exchanges.h"
#include "ops/renewal.h"
#include "policy/validity.h"

enum { SOON_DAYS = 14, NOW_DAYS = 3, SHOWN = 20, MANY = 10 };

const char page_fields[] =
    "Content-Security-Policy: default-src 'none'; style-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "X-Frame-Options: DENY\r\n"
    "Referrer-Policy: no-referrer\r\n"
    "Cross-Origin-Resource-Policy: same-origin\r\n"
    "Cross-Origin-Opener-Policy: same-origin\r\n";

/* The sources of all parts of the page. */
struct view {
    struct buf *b;
    const struct status_facts *facts;
    const struct clients *clients;
    const struct generation *generation;
    const struct ledger_failure *failures; /* the latest first */
    size_t nfailures;
    int64_t now; /* microseconds since 1970 */
};

/* ---- pieces ---- */

static const char *entity_of(char c)
{
    return c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : NULL;
}

/* Writes text into an element. Text in `...` becomes a <code> element. */
static void add_text(struct buf *b, const char *text)
{
    char *visible = utf8_escape(text == NULL ? "-" : text);
    bool code = false;

    for (const char *p = visible; *p != '\0'; p++) {
        const char *entity = entity_of(*p);
        if (entity != NULL) {
            buf_add_string(b, entity);
        } else if (*p == '`' && (code || strchr(p + 1, '`') != NULL)) {
            buf_add_string(b, code ? "</code>" : "<code>");
            code = !code;
        } else {
            buf_add(b, p, 1);
        }
    }
    free(visible);
}

static void add_span(struct buf *b, const char *class, const char *text)
{
    buf_addf(b, "<span class=\"%s\">", class);
    add_text(b, text);
    buf_add_string(b, "</span>");
}

/* Writes "3 minutes ago", with the time itself as its title. */
static void add_time(const struct view *v, int64_t wall_us)
{
    static const struct {
        int64_t seconds;
        const char *name;
    } units[] = {{SECONDS_PER_DAY, "day"},
                 {SECONDS_PER_HOUR, "hour"},
                 {SECONDS_PER_MINUTE, "minute"},
                 {1, "second"}};
    const int64_t age = (v->now - wall_us) / 1000000;
    char text[CLOCK_TEXT_SIZE];
    size_t i = 0;

    if (wall_us == 0) {
        buf_add_string(v->b, "never");
        return;
    }
    clock_text(wall_us, text);
    while (i + 1 < ARRAY_LEN(units) && age < units[i].seconds)
        i++;
    const int64_t n = age > 0 ? age / units[i].seconds : 0;
    buf_addf(v->b, "<time datetime=\"%s\" title=\"%s\">%lld %s%s ago</time>", text, text,
             (long long)n, units[i].name, n == 1 ? "" : "s");
}

static int days_left(const struct view *v, const struct credential *c)
{
    int64_t left = credential_not_after(c) - v->now / 1000000;

    return (int)(left / SECONDS_PER_DAY) - (left < 0);
}

static const char *class_of_days(int days)
{
    return days < NOW_DAYS ? "bad" : days < SOON_DAYS ? "warn" : "good";
}

static void add_days(struct buf *b, int days)
{
    if (days < 0)
        buf_add_string(b, "expired");
    else
        buf_addf(b, "%d day%s left", days, days == 1 ? "" : "s");
}

/* ---- the most important ---- */

/* Of the certificates in use, finds the one that ends first. */
static const struct tenant *find_next_end(const struct view *v, const struct credential **out)
{
    const struct config *c = v->generation->config;
    const struct tenant *found = NULL;

    for (size_t i = 0; i < c->ntenants; i++) {
        int used = overlap_in_use(&v->generation->tenants[i]->overlap);
        const struct credential *one = c->tenants[i]->identities[used].credential;
        if (one == NULL ||
            (found != NULL && credential_not_after(one) >= credential_not_after(*out)))
            continue;
        found = c->tenants[i];
        *out = one;
    }
    return found;
}

static void add_next_end(const struct view *v)
{
    const struct credential *c = NULL;
    const struct tenant *t = find_next_end(v, &c);
    char end[CLOCK_TEXT_SIZE];

    if (t == NULL)
        return;
    clock_text_s(credential_not_after(c), end);
    buf_addf(v->b,
             "<section class=\"card %s\"><h2>The certificate that ends first</h2><p class=big>",
             class_of_days(days_left(v, c)));
    add_text(v->b, t->name);
    buf_add_string(v->b, ": ");
    add_days(v->b, days_left(v, c));
    buf_addf(v->b, "</p><p class=dim>%s on %.10s: ", days_left(v, c) < 0 ? "ended" : "ends", end);
    add_text(v->b, credential_subject(c));
    buf_add_string(v->b, "</p></section>");
}

static void add_last_failure(const struct view *v)
{
    const struct ledger_failure *f = v->failures;

    if (v->nfailures == 0) {
        buf_add_string(v->b, "<section class=\"card good\"><h2>What failed last</h2>"
                             "<p class=big>Nothing so far</p></section>");
        return;
    }
    buf_add_string(v->b, "<section class=\"card bad\"><h2>What failed last, ");
    add_time(v, f->last);
    buf_add_string(v->b, "</h2><p class=big>");
    add_text(v->b, *f->tenant == '\0' ? "no tenant" : f->tenant);
    buf_add_string(v->b, ": ");
    add_text(v->b, f->code);
    buf_add_string(v->b, "</p><p><b>Cure:</b> ");
    add_text(v->b, f->cure);
    buf_add_string(v->b, "</p></section>");
}

static void add_refused_reload(const struct view *v)
{
    if (v->facts->refused_us == 0)
        return;
    buf_add_string(v->b, "<section class=\"card bad\"><h2>The last reload was refused, ");
    add_time(v, v->facts->refused_us);
    buf_add_string(v->b, "</h2><p>");
    add_text(v->b, v->facts->refused.text);
    buf_add_string(v->b, "</p><p class=dim>What was loaded before stays in use.</p></section>");
}

/* ---- tenants ---- */

static void add_certificate(const struct view *v, size_t tenant, int i,
                            const struct ledger_identity *past)
{
    const struct tenant *t = v->generation->config->tenants[tenant];
    const struct credential *c = t->identities[i].credential;
    const int days = days_left(v, c),
              used = overlap_in_use(&v->generation->tenants[tenant]->overlap);
    const char *state = status_certificate_state(c, past, v->now / 1000000);

    buf_addf(v->b, "<div><meter min=0 max=365 low=%d high=%d optimum=365 value=%d></meter> ",
             NOW_DAYS, SOON_DAYS,
             days < 0     ? 0
             : days > 365 ? 365
                          : days);
    buf_addf(v->b, "<span class=\"%s\">", class_of_days(days));
    add_days(v->b, days);
    buf_add_string(v->b, "</span> ");
    if (strcmp(state, "valid") != 0 && days >= 0)
        add_span(v->b, "badge bad", state);
    buf_addf(v->b, "<small>%s%s, ", identity_title(i), used == i ? ", in use" : "");
    add_text(v->b, credential_subject(c));
    buf_add_string(v->b, "</small></div>");
}

static void add_fetch(const struct view *v, const struct tenant *t)
{
    struct renewal_facts f;

    if (!tenant_fetches(t))
        return;
    renewal_ask(v->facts->renewal, t->name, &f);
    buf_addf(v->b, "<small%s>from BTP: ", f.cause != NULL ? " class=bad" : "");
    if (f.cause != NULL) {
        add_text(v->b, f.cause->code);
        buf_add_string(v->b, ": ");
        add_text(v->b, f.why.text);
        buf_add_string(v->b, ". <b>Cure:</b> ");
        add_text(v->b, f.cause->cure);
    } else {
        buf_add_string(v->b, "last asked ");
        add_time(v, f.fetched * 1000000);
    }
    buf_add_string(v->b, "</small>");
}

static void add_tenant_state(struct buf *b, const char *state)
{
    add_span(b,
             strcmp(state, "failing") == 0   ? "badge bad"
             : strcmp(state, "working") == 0 ? "badge good"
                                             : "badge dim",
             state);
}

static void add_calls(const struct view *v, const struct ledger_sum *past)
{
    buf_addf(v->b, "%llu", (unsigned long long)past->calls);
    if (past->failed > 0)
        buf_addf(v->b, ", <span class=bad>%llu failed</span>", (unsigned long long)past->failed);
    if (past->hinted > 0)
        buf_addf(v->b, ", <span class=warn>%llu with a hint</span>",
                 (unsigned long long)past->hinted);
    buf_add_string(v->b, "<small>last success: ");
    add_time(v, past->last_success);
    buf_add_string(v->b, "</small>");
}

static void add_held(void *ctx, const char *path, const struct gate_view *g)
{
    struct buf *b = ctx;

    if (g->held_us == 0 && g->waiting == 0)
        return;
    buf_add_string(b, "<small class=warn>");
    add_text(b, path);
    buf_addf(b, ": %zu waiting", g->waiting);
    if (g->held_us > 0)
        buf_addf(b, ", the server asks to wait %lld s",
                 (long long)((g->held_us + 999999) / 1000000));
    buf_add_string(b, "</small>");
}

static void add_tenant(const struct view *v, size_t i)
{
    const struct tenant *t = v->generation->config->tenants[i];
    struct shared_tenant *shared = v->generation->tenants[i];
    struct ledger_sum past;

    ledger_add_up(v->clients->shared->ledgers, t->name, &past);
    buf_add_string(v->b, "<tr><td class=name>");
    add_text(v->b, t->name);
    buf_add_string(v->b, "<small>");
    add_text(v->b, t->company_id);
    buf_add_string(v->b, " at ");
    add_text(v->b, t->host_field);
    buf_add_string(v->b, "</small>");
    if (t->parent != NULL) {
        buf_add_string(v->b, "<small>through the parent proxy ");
        add_text(v->b, t->parent->name);
        buf_add_string(v->b, "</small>");
    }
    buf_add_string(v->b, "</td><td>");
    add_tenant_state(v->b, status_tenant_state(&past));
    buf_add_string(v->b, "</td><td>");
    for (int k = 0; k < IDENTITIES; k++)
        if (tenant_has_identity(t, k))
            add_certificate(v, i, k, &past.identities[k]);
    add_fetch(v, t);
    buf_add_string(v->b, "</td><td data-of=Calls>");
    add_calls(v, &past);
    buf_addf(v->b, "</td><td data-of=Connections>%lld of %lld",
             (long long)atomic_load(&shared->places.used),
             (long long)atomic_load(&shared->places.limit));
    if (atomic_load(&shared->waiting) > 0)
        buf_addf(v->b, "<small class=warn>%d waiting</small>", atomic_load(&shared->waiting));
    manners_each(v->generation->manners[i], add_held, v->b);
    buf_add_string(v->b, "</td></tr>\n");
}

static void add_tenants(const struct view *v)
{
    buf_add_string(v->b, "<h2>Tenants</h2>\n<table><thead><tr><th>Tenant<th>State<th>Certificate"
                         "<th>Calls<th>Connections</tr></thead><tbody>\n");
    for (size_t i = 0; i < v->generation->config->ntenants; i++)
        add_tenant(v, i);
    buf_add_string(v->b, "</tbody></table>\n");
}

/* ---- failures ---- */

static void add_failure(const struct view *v, const struct ledger_failure *f)
{
    buf_add_string(v->b, "<li><p><b>");
    add_text(v->b, *f->tenant == '\0' ? "no tenant" : f->tenant);
    buf_add_string(v->b, "</b> ");
    add_span(v->b, "badge bad", f->code);
    buf_addf(v->b, "<span>status %lld, %llu time%s</span>", (long long)f->status,
             (unsigned long long)f->count, f->count == 1 ? "" : "s");
    add_time(v, f->last);
    buf_add_string(v->b, "</p><p>");
    add_text(v->b, f->sentence);
    buf_add_string(v->b, "</p><p><b>Cure:</b> ");
    add_text(v->b, f->cure);
    buf_add_string(v->b, "</p></li>\n");
}

static void add_failures(const struct view *v)
{
    if (v->nfailures == 0)
        return;
    buf_add_string(v->b, "<h2>Last failures</h2>\n<ul>\n");
    for (size_t i = 0; i < v->nfailures && i < SHOWN; i++)
        add_failure(v, &v->failures[i]);
    buf_add_string(v->b, "</ul>\n");
    if (v->nfailures > SHOWN)
        buf_addf(v->b, "<p class=dim>%zu more kinds are in <a href=\"/status\">/status</a>.</p>\n",
                 v->nfailures - SHOWN);
}

/* ---- the process ---- */

static void add_fact(struct buf *b, const char *name, struct quota *q)
{
    buf_addf(b, "<dt>%s</dt><dd>%lld of %lld</dd>", name, (long long)atomic_load(&q->used),
             (long long)atomic_load(&q->limit));
}

static void add_notes(const struct view *v)
{
    const struct config *c = v->generation->config;

    for (size_t i = 0; i < c->nnotes; i++) {
        if (c->notes[i].level == LOG_NOTICE)
            continue;
        buf_add_string(v->b, "<dt>Warning</dt><dd class=warn>");
        add_text(v->b, c->notes[i].sentence);
        buf_add_string(v->b, "</dd>");
    }
}

static void add_process(const struct view *v)
{
    const struct config *c = v->generation->config;
    const struct exchanges *all = v->clients->services;

    buf_add_string(v->b, "<h2>Process</h2>\n<dl><dt>Configuration</dt><dd>");
    add_text(v->b, c->file);
    buf_add_string(v->b, ", loaded ");
    add_time(v, c->begun_us);
    buf_addf(v->b, "</dd><dt>Last reload</dt><dd>%s</dd>",
             v->facts->refused_us != 0 ? "<span class=bad>refused</span>"
             : v->facts->reloads == 0  ? "none since the start"
                                       : "in use");
    add_notes(v);
    add_fact(v->b, "Connections of callers", &v->clients->shared->connections);
    add_fact(v->b, "Waiting requests", all->upstreams->queue);
    buf_addf(v->b, "<dt>Lost log lines</dt><dd>%llu</dd><dt>Started</dt><dd>",
             (unsigned long long)log_lost());
    add_time(v, v->facts->begun_us);
    buf_addf(v->b, ", process %ld</dd></dl>\n", (long)getpid());
}

static void add_header(const struct view *v)
{
    const struct config *c = v->generation->config;
    size_t ready = 0;

    for (size_t i = 0; i < c->ntenants; i++)
        ready += tenant_is_presentable(c->tenants[i]);
    buf_add_string(v->b,
                   "<!doctype html>\n<html lang=en><head><meta charset=utf-8>"
                   "<meta name=viewport content=\"width=device-width,initial-scale=1\">"
                   "<meta http-equiv=refresh content=60><title>sfmtls</title>"
                   "<link rel=stylesheet href=\"/style.css\"></head><body>\n<header><h1>sfmtls "
                   "<small>");
    buf_add_string(v->b, SFMTLS_VERSION);
    buf_add_string(v->b, "</small></h1>");
    if (v->clients->draining)
        add_span(v->b, "badge warn", "ending");
    else
        add_span(v->b, ready > 0 ? "badge good" : "badge bad", ready > 0 ? "ready" : "not ready");
    buf_addf(v->b, "<span class=dim>tenants with a valid certificate: %zu of %zu</span></header>\n",
             ready, c->ntenants);
}

void page_write(struct buf *b, const struct status_facts *f, const struct clients *clients)
{
    const struct exchanges *all = clients->services;
    struct view v = {.b = b,
                     .facts = f,
                     .clients = clients,
                     .generation = all->upstreams->generation,
                     .now = clock_wall_us()};
    struct ledger_failure *failures = ledger_failures(clients->shared->ledgers, &v.nfailures);

    v.failures = failures;
    add_header(&v);
    buf_add_string(b, "<div class=first>");
    add_next_end(&v);
    add_last_failure(&v);
    add_refused_reload(&v);
    buf_add_string(b, "</div>\n");
    if (v.generation->config->ntenants > MANY)
        add_failures(&v); /* otherwise the failures would be far below */
    add_tenants(&v);
    if (v.generation->config->ntenants <= MANY)
        add_failures(&v);
    add_process(&v);
    buf_add_string(b, "<footer>Renewed each minute. For programs: <a href=\"/status\">/status</a>, "
                      "<a href=\"/metrics\">/metrics</a>, <a href=\"/ready\">/ready</a></footer>\n"
                      "</body></html>\n");
    free(failures);
}
