#include "ops/status.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "config/parent_proxy.h"
#include "exchange/exchanges.h"
#include "ops/renewal.h"
#include "tls/facts.h"

/* ---- pieces ---- */

/* 0 (never) becomes null. */
static void add_time(struct buf *b, const char *name, int64_t wall_us)
{
    char text[CLOCK_TEXT_SIZE];

    if (wall_us != 0)
        clock_text(wall_us, text);
    json_add_member(b, name, slice_of(wall_us == 0 ? NULL : text));
}

static void add_refused(const struct status_facts *f, struct buf *b)
{
    if (f->refused_us == 0) {
        buf_add_string(b, ",\"refused\":null");
        return;
    }
    buf_add_string(b, ",\"refused\":{");
    add_time(b, "time", f->refused_us);
    json_add_member(b, "reason", slice_of(f->refused.text));
    buf_add_string(b, "}");
}

static void add_configuration(const struct status_facts *f, const struct config *c, struct buf *b)
{
    static const char *const levels[] = {
        [LOG_ERROR] = "error", [LOG_WARNING] = "warning", [LOG_NOTICE] = "notice"};

    buf_add_string(b, ",\"configuration\":{");
    json_add_member(b, "file", slice_of(c->file));
    add_time(b, "loaded", c->begun_us);
    add_refused(f, b);
    buf_addf(b, ",\"reloads\":%llu,\"notes\":[", (unsigned long long)f->reloads);
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

/* ---- tenants ---- */

const char *status_certificate_state(const struct credential *c, const struct ledger_identity *past,
                                     int64_t now)
{
    return credential_not_after(c) < now             ? "expired"
           : credential_not_before(c) > now          ? "not-yet-valid"
           : past->last_refusal > past->last_success ? "refused"
                                                     : "valid";
}

static void add_certificate(struct buf *b, const struct tenant *t, int i, bool in_use,
                            const struct ledger_identity *past, int64_t now)
{
    const struct identity *id = &t->identities[i];
    struct facts f;

    facts_collect(id->credential, now, &f);
    buf_add_string(b, "{");
    json_add_member(b, "option", slice_of(identity_title(i)));
    json_add_member(b, "file", slice_of(id->certificate));
    buf_addf(b, ",\"in_use\":%s", in_use ? "true" : "false");
    json_add_member(b, "state", slice_of(status_certificate_state(id->credential, past, now)));
    json_add_member(b, "subject", slice_of(f.subject));
    json_add_member(b, "issuer", slice_of(f.issuer));
    json_add_member(b, "serial", buf_slice(&f.serial));
    json_add_member(b, "not_before", slice_of(f.not_before));
    json_add_member(b, "not_after", slice_of(f.not_after));
    buf_addf(b, ",\"days_left\":%lld", f.days_left);
    add_time(b, "last_success", past->last_success);
    json_add_member(b, "sha256", buf_slice(&f.sha256));
    buf_add_string(b, "}");
    facts_free(&f);
}

const char *status_tenant_state(const struct ledger_sum *past)
{
    int64_t answer =
        past->last_answer > past->last_success ? past->last_answer : past->last_success;

    return past->last_failure > answer ? "failing" : answer > 0 ? "working" : "unused";
}

static void add_failure(struct buf *b, const struct ledger_failure *f)
{
    buf_add_string(b, "{");
    add_time(b, "time", f->last);
    add_time(b, "first", f->first);
    buf_addf(b, ",\"count\":%llu", (unsigned long long)f->count);
    json_add_member(b, "tenant", slice_of(*f->tenant == '\0' ? NULL : f->tenant));
    buf_addf(b, ",\"status\":%lld", (long long)f->status);
    json_add_member(b, "token", slice_of(f->token));
    json_add_member(b, "code", slice_of(f->code));
    buf_addf(b, ",\"hint\":%s", f->hinted != 0 ? "true" : "false");
    json_add_member(b, "sentence", slice_of(f->sentence));
    json_add_member(b, "cure", slice_of(f->cure));
    buf_add_string(b, "}");
}

struct failures {
    struct ledger_failure *all; /* the latest first */
    size_t count;
};

/* The tenant's latest failure; hinted: the latest with a hint. */
static void add_last(struct buf *b, const char *name, const struct failures *f, const char *tenant,
                     bool hinted)
{
    buf_addf(b, ",\"%s\":", name);
    for (size_t i = 0; i < f->count; i++) {
        if (strcmp(f->all[i].tenant, tenant) != 0 || (hinted && f->all[i].hinted == 0))
            continue;
        add_failure(b, &f->all[i]);
        return;
    }
    buf_add_string(b, "null");
}

static void add_past(struct buf *b, const char *tenant, const struct ledger_sum *past,
                     const struct failures *f)
{
    json_add_member(b, "state", slice_of(status_tenant_state(past)));
    buf_addf(b, ",\"calls\":%llu,\"succeeded\":%llu,\"failed\":%llu,\"hinted\":%llu",
             (unsigned long long)past->calls, (unsigned long long)past->succeeded,
             (unsigned long long)past->failed, (unsigned long long)past->hinted);
    add_time(b, "last_success", past->last_success);
    add_last(b, "last_failure", f, tenant, false);
    add_last(b, "last_hint", f, tenant, true);
}

struct gate_list {
    struct buf *b;
    /* Shows the paths for which the server wants no requests, instead of those of `rate`. */
    bool held;
    bool any;
};

static void add_gate(void *ctx, const char *path, const struct gate_view *g)
{
    struct gate_list *l = ctx;

    if (l->held ? g->held_us == 0 : g->limit == 0)
        return;
    buf_add_string(l->b, l->any ? ",{" : "{");
    l->any = true;
    json_add_member(l->b, "path", slice_of(path));
    if (l->held)
        buf_addf(l->b, ",\"seconds\":%lld", (long long)((g->held_us + 999999) / 1000000));
    else
        buf_addf(l->b, ",\"rate\":%zu", g->limit);
    buf_addf(l->b, ",\"waiting\":%zu}", g->waiting);
}

static void add_manners(struct buf *b, struct manners *m)
{
    struct gate_list limits = {.b = b}, held = {.b = b, .held = true};

    buf_add_string(b, ",\"limits\":[");
    manners_each(m, add_gate, &limits);
    buf_add_string(b, "],\"held\":[");
    manners_each(m, add_gate, &held);
    buf_add_string(b, "]");
}

/* The state of fetching the certificate; null if it is not fetched. */
static void add_fetch(struct buf *b, const struct tenant *t, struct renewal *r)
{
    struct renewal_facts f;

    if (!tenant_fetches(t)) {
        buf_add_string(b, ",\"fetch\":null");
        return;
    }
    renewal_ask(r, t->name, &f);
    buf_add_string(b, ",\"fetch\":{");
    json_add_member(b, "name", slice_of(t->fetch.name));
    json_add_member(b, "store", slice_of(t->fetch.store));
    add_time(b, "last_success", f.fetched * 1000000);
    add_time(b, "next_look", f.is_over ? 0 : f.next * 1000000);
    buf_add_string(b, ",\"failure\":");
    if (f.cause != NULL) {
        buf_add_string(b, "{");
        add_time(b, "time", f.failed * 1000000);
        json_add_member(b, "code", slice_of(f.cause->code));
        json_add_member(b, "sentence", slice_of(f.why.text));
        json_add_member(b, "cure", slice_of(f.cause->cure));
        buf_add_string(b, "}");
    } else {
        buf_add_string(b, "null");
    }
    buf_add_string(b, "}");
}

static void add_tenant(struct buf *b, const struct tenant *t, struct shared_tenant *shared,
                       const struct ledger *ledgers, const struct failures *failures, int64_t now)
{
    struct ledger_sum past;
    bool first = true;

    ledger_add_up(ledgers, t->name, &past);
    json_add_member(b, "name", slice_of(t->name));
    json_add_member(b, "company_id", slice_of(t->company_id));
    json_add_member(b, "server", slice_of(t->host_field));
    json_add_member(b, "parent_proxy", slice_of(t->parent == NULL ? NULL : t->parent->name));
    add_past(b, t->name, &past, failures);
    add_quota(b, "connections", &shared->places);
    buf_addf(b, ",\"waiting\":%d,\"certificates\":[", atomic_load(&shared->waiting));
    for (int i = 0; i < IDENTITIES; i++) {
        if (!tenant_has_identity(t, i))
            continue;
        buf_add_string(b, first ? "" : ",");
        add_certificate(b, t, i, i == overlap_in_use(&shared->overlap), &past.identities[i], now);
        first = false;
    }
    buf_add_string(b, "]");
}

/* ---- all of it ---- */

void status_write(struct buf *b, const struct status_facts *f, const struct clients *clients)
{
    const struct exchanges *all = clients->services;
    const struct generation *g = all->upstreams->generation;
    const struct ledger *ledgers = clients->shared->ledgers;
    struct failures failures;
    int64_t now = clock_wall_us();

    failures.all = ledger_failures(ledgers, &failures.count);
    buf_add_string(b, "{");
    json_add_member(b, "version", slice_of(SFMTLS_VERSION));
    buf_addf(b, ",\"pid\":%ld", (long)getpid());
    add_time(b, "started", f->begun_us);
    add_time(b, "time", now);
    add_configuration(f, g->config, b);
    add_quota(b, "callers", &clients->shared->connections);
    add_quota(b, "queue", all->upstreams->queue);
    buf_addf(b, ",\"log\":{\"lost\":%llu}", (unsigned long long)log_lost());
    buf_add_string(b, ",\"tenants\":[");
    for (size_t i = 0; i < g->config->ntenants; i++) {
        buf_add_string(b, i == 0 ? "{" : ",{");
        add_tenant(b, g->config->tenants[i], g->tenants[i], ledgers, &failures, now / 1000000);
        add_manners(b, g->manners[i]);
        add_fetch(b, g->config->tenants[i], f->renewal);
        buf_add_string(b, "}");
    }
    buf_add_string(b, "],\"failures\":[");
    for (size_t i = 0; i < failures.count; i++) {
        buf_add_string(b, i == 0 ? "" : ",");
        add_failure(b, &failures.all[i]);
    }
    buf_add_string(b, "]}\n");
    free(failures.all);
}
