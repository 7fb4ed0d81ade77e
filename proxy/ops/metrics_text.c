#include "ops/metrics_text.h"

#include <stdlib.h>

#include "exchange/exchanges.h"
#include "ops/renewal.h"

/* The sources of all metrics. */
struct view {
    struct buf *b;
    const struct metrics_sum *sums;
    size_t nsums;
    const struct generation *generation;
    const struct clients *clients;
    const struct status_facts *facts;
};

static unsigned long long ull(uint64_t n)
{
    return n;
}

/* ---- pieces ---- */

static void begin(struct buf *b, const char *name, const char *type, const char *help)
{
    buf_addf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void add_seconds(struct buf *b, int64_t us)
{
    buf_addf(b, "%lld.%06lld\n", (long long)(us / 1000000), (long long)(us % 1000000));
}

static void add_gauge(struct buf *b, const char *name, const char *help, int64_t value)
{
    begin(b, name, "gauge", help);
    buf_addf(b, "%s %lld\n", name, (long long)value);
}

static void add_time(struct buf *b, const char *name, const char *help, int64_t us)
{
    begin(b, name, "gauge", help);
    buf_addf(b, "%s ", name);
    add_seconds(b, us);
}

/* labels: without braces, with a comma at the end. */
static void add_histogram(struct buf *b, const char *name, const char *labels,
                          const struct metrics_histogram *h)
{
    uint64_t count = 0;
    const int most = (int)strlen(labels) - 1;

    for (size_t i = 0; i < METRICS_BOUNDS; i++) {
        count += h->buckets[i];
        buf_addf(b, "%s_bucket{%sle=\"%g\"} %llu\n", name, labels,
                 (double)metrics_bounds[i] / 1000000, ull(count));
    }
    count += h->buckets[METRICS_BOUNDS];
    buf_addf(b, "%s_bucket{%sle=\"+Inf\"} %llu\n", name, labels, ull(count));
    buf_addf(b, "%s_sum{%.*s} ", name, most, labels);
    add_seconds(b, (int64_t)h->sum_us);
    buf_addf(b, "%s_count{%.*s} %llu\n", name, most, labels, ull(count));
}

/* ---- counters; the tenant "" stands for exchanges of no tenant ---- */

static void add_requests(const struct view *v)
{
    begin(v->b, "sfmtls_requests_total", "counter",
          "Requests by the status that the caller got; 0: none.");
    for (size_t i = 0; i < v->nsums; i++)
        for (int code = 0; code < METRICS_CODES; code++)
            if (v->sums[i].codes[code] > 0)
                buf_addf(v->b, "sfmtls_requests_total{tenant=\"%s\",code=\"%d\"} %llu\n",
                         v->sums[i].tenant, code, ull(v->sums[i].codes[code]));
}

static void add_durations(const struct view *v)
{
    begin(v->b, "sfmtls_request_duration_seconds", "histogram",
          "From the first byte of a request to the end of its answer.");
    for (size_t i = 0; i < v->nsums; i++) {
        struct buf labels = {0};
        buf_addf(&labels, "tenant=\"%s\",", v->sums[i].tenant);
        buf_add(&labels, "", 1);
        add_histogram(v->b, "sfmtls_request_duration_seconds", labels.p, &v->sums[i].duration);
        buf_free(&labels);
    }
}

static void add_handshakes(const struct view *v)
{
    begin(v->b, "sfmtls_upstream_handshake_seconds", "histogram",
          "TLS handshakes with the server that were finished.");
    for (size_t i = 0; i < v->nsums; i++) {
        for (int resumed = 0; *v->sums[i].tenant != '\0' && resumed < 2; resumed++) {
            struct buf labels = {0};
            buf_addf(&labels, "tenant=\"%s\",resumed=\"%s\",", v->sums[i].tenant,
                     resumed == 0 ? "no" : "yes");
            buf_add(&labels, "", 1);
            add_histogram(v->b, "sfmtls_upstream_handshake_seconds", labels.p,
                          &v->sums[i].handshake[resumed]);
            buf_free(&labels);
        }
    }
}

static void add_failures(const struct view *v)
{
    begin(v->b, "sfmtls_failures_total", "counter",
          "Requests that failed, by the token of the failure.");
    for (size_t i = 0; i < v->nsums; i++)
        for (int id = 0; id < FAIL_COUNT; id++)
            if (v->sums[i].failures[id] > 0)
                buf_addf(v->b, "sfmtls_failures_total{tenant=\"%s\",token=\"%s\"} %llu\n",
                         v->sums[i].tenant, fail_info((enum fail)id)->token,
                         ull(v->sums[i].failures[id]));
}

static void add_hints(const struct view *v)
{
    begin(v->b, "sfmtls_hints_total", "counter",
          "Errors of the server whose cause is known, by the code of the cause.");
    for (size_t i = 0; i < v->nsums; i++)
        for (int id = 0; id < CAUSE_COUNT; id++)
            if (v->sums[i].hints[id] > 0)
                buf_addf(v->b, "sfmtls_hints_total{tenant=\"%s\",hint=\"%s\"} %llu\n",
                         v->sums[i].tenant, cause_of((enum cause_id)id)->code,
                         ull(v->sums[i].hints[id]));
}

/* ---- gauges ---- */

static void add_connections(const struct view *v)
{
    const struct config *c = v->generation->config;

    begin(v->b, "sfmtls_upstream_connections", "gauge",
          "Connections to the server; busy: also those that are being made.");
    for (size_t i = 0; i < c->ntenants; i++) {
        struct shared_tenant *t = v->generation->tenants[i];
        int64_t all = atomic_load(&t->places.used), idle = shared_tenant_idle(t);
        int64_t busy = all > idle ? all - idle : 0; /* the numbers change meanwhile */
        buf_addf(v->b,
                 "sfmtls_upstream_connections{tenant=\"%s\",state=\"busy\"} %lld\n"
                 "sfmtls_upstream_connections{tenant=\"%s\",state=\"idle\"} %lld\n",
                 c->tenants[i]->name, (long long)busy, c->tenants[i]->name, (long long)idle);
    }
}

typedef uint64_t manners_value(const struct manners_sum *sum);

static uint64_t rate_waits(const struct manners_sum *sum)
{
    return sum->rate_waits;
}

static uint64_t held_requests(const struct manners_sum *sum)
{
    return sum->held;
}

static void add_manners(const struct view *v, const char *name, const char *help,
                        manners_value *value)
{
    const struct generation *g = v->generation;
    struct manners_sum sum;

    begin(v->b, name, "counter", help);
    for (size_t i = 0; i < g->config->ntenants; i++) {
        manners_add_up(g->manners[i], &sum);
        buf_addf(v->b, "%s{tenant=\"%s\"} %llu\n", name, g->config->tenants[i]->name,
                 ull(value(&sum)));
    }
}

static void add_server_refusals(const struct view *v)
{
    const struct generation *g = v->generation;
    struct manners_sum sum;

    begin(v->b, "sfmtls_server_refusals_total", "counter",
          "Answers 429 and 503 of the server itself.");
    for (size_t i = 0; i < g->config->ntenants; i++) {
        const char *name = g->config->tenants[i]->name;
        manners_add_up(g->manners[i], &sum);
        buf_addf(v->b,
                 "sfmtls_server_refusals_total{tenant=\"%s\",code=\"429\"} %llu\n"
                 "sfmtls_server_refusals_total{tenant=\"%s\",code=\"503\"} %llu\n",
                 name, ull(sum.asked_429), name, ull(sum.asked_503));
    }
}

/* The sums over all gates of a tenant. */
struct at_gates {
    size_t waiting, held;
};

static void count_gate(void *ctx, const char *path, const struct gate_view *g)
{
    struct at_gates *sum = ctx;

    (void)path;
    sum->waiting += g->waiting;
    sum->held += g->held_us > 0;
}

static void add_gates(const struct view *v, bool held, const char *name, const char *help)
{
    const struct generation *g = v->generation;

    begin(v->b, name, "gauge", help);
    for (size_t i = 0; i < g->config->ntenants; i++) {
        struct at_gates sum = {0};
        manners_each(g->manners[i], count_gate, &sum);
        buf_addf(v->b, "%s{tenant=\"%s\"} %zu\n", name, g->config->tenants[i]->name,
                 held ? sum.held : sum.waiting);
    }
}

static void add_all_manners(const struct view *v)
{
    add_manners(v, "sfmtls_rate_waits_total", "Requests that waited because of `rate`.",
                rate_waits);
    add_manners(v, "sfmtls_held_requests_total",
                "Requests that waited because the server had asked for it (Retry-After).",
                held_requests);
    add_server_refusals(v);
    add_gates(v, false, "sfmtls_waiting_requests",
              "Requests that wait now because of `rate` or Retry-After.");
    add_gates(v, true, "sfmtls_held_paths",
              "Paths for which the server wants no requests now (Retry-After).");
}

typedef int64_t certificate_value(const struct view *v, size_t tenant, int identity);

static int64_t not_after(const struct view *v, size_t tenant, int identity)
{
    const struct tenant *t = v->generation->config->tenants[tenant];

    return credential_not_after(t->identities[identity].credential);
}

static int64_t in_use(const struct view *v, size_t tenant, int identity)
{
    return overlap_in_use(&v->generation->tenants[tenant]->overlap) == identity;
}

static void add_certificates(const struct view *v, const char *name, const char *help,
                             certificate_value *value)
{
    const struct config *c = v->generation->config;

    begin(v->b, name, "gauge", help);
    for (size_t i = 0; i < c->ntenants; i++)
        for (int k = 0; k < IDENTITIES; k++)
            if (tenant_has_identity(c->tenants[i], k))
                buf_addf(v->b, "%s{tenant=\"%s\",slot=\"%s\"} %lld\n", name, c->tenants[i]->name,
                         k == IDENTITY_CURRENT ? "current" : "next", (long long)value(v, i, k));
}

/* ---- fetching from BTP ---- */

static void add_fetch_time(const struct view *v, const char *tenant, const struct renewal_facts *f)
{
    if (f->fetched != 0)
        buf_addf(v->b, "sfmtls_certificate_fetch_timestamp_seconds{tenant=\"%s\"} %lld\n", tenant,
                 (long long)f->fetched);
}

static void add_fetch_failures(const struct view *v, const char *tenant,
                               const struct renewal_facts *f)
{
    for (int id = 0; id < CAUSE_COUNT; id++)
        if (f->failures[id] > 0)
            buf_addf(v->b,
                     "sfmtls_certificate_fetch_failures_total{tenant=\"%s\",reason=\"%s\"} %llu\n",
                     tenant, cause_of((enum cause_id)id)->code, ull(f->failures[id]));
}

static void add_fetches(const struct view *v, void (*add)(const struct view *v, const char *tenant,
                                                          const struct renewal_facts *f))
{
    const struct config *c = v->generation->config;

    for (size_t i = 0; i < c->ntenants; i++) {
        struct renewal_facts f;
        if (!tenant_fetches(c->tenants[i]))
            continue;
        renewal_ask(v->facts->renewal, c->tenants[i]->name, &f);
        add(v, c->tenants[i]->name, &f);
    }
}

static void add_renewal(const struct view *v)
{
    begin(v->b, "sfmtls_certificate_fetch_timestamp_seconds", "gauge",
          "When BTP last gave the client certificate.");
    add_fetches(v, add_fetch_time);
    begin(v->b, "sfmtls_certificate_fetch_failures_total", "counter",
          "Looks for a client certificate in BTP that failed, by the code of the cause.");
    add_fetches(v, add_fetch_failures);
}

static void add_proxy(const struct view *v)
{
    struct buf *b = v->b;
    const struct exchanges *all = v->clients->services;

    add_gauge(b, "sfmtls_config_last_reload_successful",
              "Is the configuration that was read last in use?", v->facts->refused_us == 0);
    add_time(b, "sfmtls_config_last_reload_timestamp_seconds",
             "When the configuration was read last, at start or by a reload.",
             v->facts->refused_us != 0 ? v->facts->refused_us : v->generation->config->begun_us);
    add_gauge(b, "sfmtls_callers", "Connections of callers.",
              atomic_load(&v->clients->shared->connections.used));
    add_gauge(b, "sfmtls_queue_length", "Requests that wait for a connection to a server.",
              atomic_load(&all->upstreams->queue->used));
    begin(b, "sfmtls_build_info", "gauge", "The version of the program; always 1.");
    buf_addf(b, "sfmtls_build_info{version=\"%s\"} 1\n", SFMTLS_VERSION);
}

static void add_known(struct buf *b, const char *name, const char *help, int64_t value)
{
    if (value >= 0)
        add_gauge(b, name, help, value);
}

static void add_process(struct buf *b, const struct process_facts *p, int64_t begun_us)
{
    if (p->cpu_us >= 0) {
        begin(b, "process_cpu_seconds_total", "counter", "User and system time of the process.");
        buf_add_string(b, "process_cpu_seconds_total ");
        add_seconds(b, p->cpu_us);
    }
    add_known(b, "process_open_fds", "Open file descriptors.", p->open_fds);
    add_known(b, "process_max_fds", "The most file descriptors that can be open.", p->max_fds);
    add_known(b, "process_virtual_memory_bytes", "Virtual memory.", p->virtual_bytes);
    add_known(b, "process_resident_memory_bytes", "Resident memory.", p->resident_bytes);
    add_time(b, "process_start_time_seconds", "When the process started.", begun_us);
}

void metrics_write(struct buf *b, const struct metrics *m, const struct status_facts *f,
                   const struct process_facts *process, const struct clients *clients)
{
    const struct exchanges *all = clients->services;
    struct view v = {
        .b = b, .generation = all->upstreams->generation, .clients = clients, .facts = f};
    struct metrics_sum *sums = metrics_add_up(m, &v.nsums);

    v.sums = sums;
    add_requests(&v);
    add_durations(&v);
    add_handshakes(&v);
    add_failures(&v);
    add_hints(&v);
    add_connections(&v);
    add_all_manners(&v);
    add_certificates(&v, "sfmtls_certificate_not_after_timestamp_seconds",
                     "When the client certificate ends.", not_after);
    add_certificates(&v, "sfmtls_certificate_in_use",
                     "Is it the client certificate that new connections present?", in_use);
    add_renewal(&v);
    add_proxy(&v);
    add_process(b, process, f->begun_us);
    free(sums);
}
