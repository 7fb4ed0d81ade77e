#include "ops/check.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "config/parent_proxy.h"
#include "exchange/hint.h"
#include "http/mask.h"
#include "ops/call.h"
#include "ops/check_btp.h"
#include "ops/check_files.h"
#include "ops/check_probe.h"
#include "ops/sandbox.h"
#include "ops/unused_proxy.h"
#include "policy/validity.h"

enum { CLOCK_TOLERANCE_S = 300 };

/* One walk that is being made. */
struct walker {
    struct config *config;
    const struct check_options *options;
    struct call_room *room;
    size_t index; /* index of the tenant */
    const struct tenant *tenant;
    int identity;
    struct check_report *steps;
    const struct diag *file_flaw; /* NULL: the files may be used */
};

/* ---- the clock ---- */

static char *difference_text(int64_t ahead)
{
    int64_t s = ahead < 0 ? -ahead : ahead, unit = s >= 2 * 86400 ? 86400 : s >= 7200 ? 3600 : 60;
    const char *name = unit == 86400 ? "days" : unit == 3600 ? "hours" : "minutes";

    return mem_format("%lld %s %s the server's", (long long)((s + unit / 2) / unit), name,
                      ahead < 0 ? "behind" : "ahead of");
}

static void check_clock(struct walker *w, const struct call_result *r)
{
    int64_t ahead = r->date_s == 0 ? 0 : clock_wall_us() / 1000000 - r->date_s;

    if (ahead > CLOCK_TOLERANCE_S || ahead < -CLOCK_TOLERANCE_S) {
        char *text = difference_text(ahead);
        check_tell_cause(w->steps, cause_of(CAUSE_CLOCK),
                         mem_format("The clock of this machine is %s.", text));
        free(text);
    }
    check_fine(w->steps, CHECK_CLOCK,
               mem_copy_string(r->date_s == 0 ? "it agrees with the dates of the certificate"
                                              : "it agrees with the server's Date"));
    if (r->date_s != 0)
        check_note_number(&w->steps[CHECK_CLOCK], "ahead_s", ahead);
}

/* ---- the connection ---- */

static const struct endpoint *dialled(const struct tenant *t)
{
    return t->connect_to.host != NULL ? &t->connect_to : &t->server;
}

static char *request_text(const struct call_result *r)
{
    struct buf text = {0};

    buf_add_string(&text, r->nauthorities == 0 ? "asked for, of any CA" : "asked for, of");
    for (size_t i = 0; i < r->nauthorities && i < 3; i++)
        buf_addf(&text, "%s %s", i == 0 ? "" : ";", r->authorities[i]);
    if (r->nauthorities > 3)
        buf_addf(&text, "; and %zu more", r->nauthorities - 3);
    char *copy = mem_copy_bytes(text.p, text.n);
    buf_free(&text);
    return copy;
}

static void check_request(struct walker *w, const struct call_result *r)
{
    if (!r->requested)
        check_tell(w->steps, CHECK_CERTIFICATE_REQUEST, CHECK_WARN, NULL,
                   mem_format("%s never asked for the client certificate, so it does not know who "
                              "calls.",
                              w->tenant->peer),
                   NULL);
}

/* Other programs would have gone through a proxy, so the direct way may be closed. */
static void check_way(struct walker *w, const struct failure *why)
{
    const char *unused = unused_proxy_of(w->config, w->tenant);
    enum check_step s = check_step_of_failure(why);

    if (unused != NULL && (s == CHECK_NAME || s == CHECK_CONNECT))
        check_tell(w->steps, CHECK_PARENT_PROXY, CHECK_WARN, NULL,
                   mem_format("%s is set, but the configuration names no parent-proxy, so sfmtls "
                              "connects directly.",
                              unused),
                   "If the network does not permit that, set parent-proxy = system in [proxy].");
}

static void add_times(struct walker *w, const struct call_result *r)
{
    const struct {
        enum check_step step;
        int64_t us;
    } parts[] = {{CHECK_NAME, r->way.dns},
                 {CHECK_CONNECT, r->way.connect},
                 {CHECK_TLS, r->way.tls},
                 {CHECK_HTTP, r->answer_us}};

    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (parts[i].us >= 0)
            check_note_number(&w->steps[parts[i].step], "ms", (parts[i].us + 500) / 1000);
}

static void add_connection(struct walker *w, const struct call_result *r)
{
    if (w->tenant->parent != NULL)
        check_note(&w->steps[CHECK_PARENT_PROXY], "proxy", w->tenant->parent->name);
    check_note(&w->steps[CHECK_CONNECT], "address", r->address);
    check_note(&w->steps[CHECK_TLS], "version", r->tls);
    check_note(&w->steps[CHECK_TLS], "cipher", r->cipher);
    check_note_list(&w->steps[CHECK_SERVER_CERTIFICATE], "chain", r->chain, r->nchain);
    check_note_list(&w->steps[CHECK_CERTIFICATE_REQUEST], "authorities", r->authorities,
                    r->nauthorities);
}

/* ---- the answer ---- */

static bool is_success(int status)
{
    return status >= 200 && status < 300;
}

static void tell_cause(struct walker *w, const struct call_result *r, const struct cause *c,
                       const struct cause_found *found)
{
    struct buf text = {0};

    hint_write_known(&text, c, found, w->tenant, w->identity);
    char *sentence = mem_copy_bytes(text.p, text.n);
    buf_free(&text);
    /* The server asked for the certificate and got it, so it does not accept the certificate. */
    if (cause_id(c) == CAUSE_LGN0003 && r->requested)
        check_tell(w->steps, CHECK_CLIENT_CERTIFICATE, CHECK_FAIL, c->code, sentence, c->cure);
    else
        check_tell_cause(w->steps, c, sentence);
}

/* Where a redirect leads to, for a sentence. Without user, query and fragment, which may hold
 * credentials or a token. */
static char *destination_text(const struct call_result *r)
{
    struct slice rest = slice_of(r->location);

    if (r->location == NULL)
        return mem_copy_string("");
    struct slice shown = mask_target(slice_split(&rest, '#'));
    return mem_format(", to go to %.*s", (int)shown.n, shown.p);
}

/* Reports an answer that is no success and whose cause is not known. */
static void tell_status(struct walker *w, const struct call_result *r)
{
    const char *path = w->options->path;
    char *destination = destination_text(r);

    if (r->status == 401 || r->status == 403)
        check_tell(w->steps, CHECK_PERMISSION, CHECK_FAIL, NULL,
                   mem_format("The server answered %d to GET %s, and does not say why in a form "
                              "that sfmtls knows.",
                              r->status, path),
                   "Look at the whole answer: call the path through sfmtls.");
    else if (r->status >= 500)
        check_tell(w->steps, CHECK_HTTP, CHECK_FAIL, NULL,
                   mem_format("The server answered %d to GET %s.", r->status, path),
                   "Try again later, or name another path with --path.");
    else
        check_tell(w->steps, CHECK_HTTP, CHECK_UNKNOWN, NULL,
                   mem_format("The server answered %d to GET %s%s, which says nothing of the "
                              "company.",
                              r->status, path, destination),
                   "Name a path that the server has with --path.");
    free(destination);
}

static void judge_answer(struct walker *w, const struct call_result *r)
{
    const struct cause_answer answer = {r->status, slice_of(r->content_type),
                                        buf_slice(&r->content)};
    struct cause_found found;
    const struct cause *c = cause_of_answer(&answer, &found);

    if (c != NULL)
        tell_cause(w, r, cause_sharpen(c, &r->evidence), &found);
    else if (!is_success(r->status))
        tell_status(w, r);
    check_note_number(&w->steps[CHECK_HTTP], "status", r->status);
}

/* Reports the steps that need an answer, because no request was made. */
static void tell_unasked(struct walker *w)
{
    check_tell(w->steps, CHECK_CLIENT_CERTIFICATE, CHECK_UNKNOWN, NULL,
               mem_copy_string("Only an answer shows whether the server accepts it."), NULL);
    check_tell(w->steps, CHECK_HTTP, CHECK_UNKNOWN, NULL,
               mem_format("No `allow` rule of the tenant covers GET %s.", w->options->path),
               "Name a path that a rule covers with --path.");
}

/* ---- all of it ---- */

/* The sentence for a step that succeeded. */
static char *fine_text(const struct walker *w, enum check_step s, const struct call_result *r)
{
    const struct parent_proxy *parent = w->tenant->parent;

    switch (s) {
    case CHECK_PARENT_PROXY:
        return parent == NULL ? mem_copy_string("none: the server is reached directly")
                              : mem_format("%s (%s)", parent->name, parent->where);
    case CHECK_NAME:
        return mem_format("%s%s", dialled(w->tenant)->host,
                          parent == NULL ? "" : ", looked up by the parent proxy");
    case CHECK_CONNECT:
        return *r->address == '\0' ? NULL : mem_copy_string(r->address);
    case CHECK_TLS:
        return r->tls == NULL ? NULL : mem_format("%s, %s", r->tls, r->cipher);
    case CHECK_SERVER_CERTIFICATE:
        return mem_copy_string(r->nchain == 0 ? NULL : r->chain[0]);
    case CHECK_CERTIFICATE_REQUEST:
        return r->connected ? request_text(r) : NULL;
    case CHECK_HTTP:
        return mem_format("%d to GET %s", r->status, w->options->path);
    case CHECK_COMPANY:
        return mem_copy_string(w->tenant->company_id);
    default:
        return NULL;
    }
}

static void judge_call(struct walker *w, const char *path, const struct call_result *r)
{
    if (r->failed) {
        check_way(w, &r->failure);
        check_tell_failure(w->steps, &r->failure);
    }
    if (r->connected)
        add_connection(w, r);
    add_times(w, r);
    check_clock(w, r);
    if (!r->failed && path != NULL)
        judge_answer(w, r);
    else if (!r->failed)
        tell_unasked(w);
    if (r->connected)
        check_request(w, r);
    check_chain(w->steps, w->tenant, w->identity, r->authorities, r->nauthorities);
}

static bool wants_call(const struct walker *w)
{
    for (enum check_step s = CHECK_PARENT_PROXY; s <= CHECK_CLIENT_CERTIFICATE; s++)
        if (w->options->skip[s])
            return false;
    return check_succeeded(w->steps, CHECK_CONFIGURATION) &&
           check_succeeded(w->steps, CHECK_CERTIFICATE);
}

static bool fetches(const struct tenant *t, int identity)
{
    return identity == IDENTITY_CURRENT && tenant_fetches(t);
}

bool check_has_step(const struct check_walk *w, enum check_step s)
{
    return (s != CHECK_BTP_TOKEN && s != CHECK_BTP_CERTIFICATE) || fetches(w->tenant, w->identity);
}

/* A certificate that is not there yet is no failure of its own if BTP does not give it. */
static void fetch(struct walker *w)
{
    struct failure ignored;

    if (check_succeeded(w->steps, CHECK_CONFIGURATION))
        check_btp(w->steps, w->config, w->config->tenants[w->index]);
    if (w->options->skip[CHECK_BTP_TOKEN] || w->options->skip[CHECK_BTP_CERTIFICATE] ||
        identity_is_presentable(w->tenant, w->identity, &ignored))
        return;
    (void)check_is_settled(w->steps, CHECK_BTP_TOKEN);
    (void)check_is_settled(w->steps, CHECK_BTP_CERTIFICATE);
    check_lack(w->steps, CHECK_CERTIFICATE, CHECK_BTP_CERTIFICATE);
}

static void walk(struct walker *w)
{
    const char *path = w->options->path;
    struct call_result r = {0};

    for (int s = 0; s < CHECK_STEPS; s++)
        if (w->options->skip[s])
            check_leave_out(w->steps, (enum check_step)s);
    check_configuration(w->steps, w->tenant, w->file_flaw);
    if (fetches(w->tenant, w->identity))
        fetch(w);
    check_certificate(w->steps, w->tenant, w->identity, w->options->fail_days);
    if (wants_call(w)) {
        if (w->options->skip[CHECK_HTTP] || !call_is_allowed(w->room, w->index, path))
            path = NULL;
        call_make(w->room, w->index, w->identity, path, &r);
        judge_call(w, path, &r);
        if (w->options->probe)
            check_probe(
                &(struct check_probe){w->config, w->options, w->room, w->index, w->identity},
                &w->steps[CHECK_COMPANY]);
    } else if (check_succeeded(w->steps, CHECK_CERTIFICATE)) {
        check_chain(w->steps, w->tenant, w->identity, NULL, 0);
    }
    for (int s = 0; s < CHECK_STEPS; s++)
        if (!check_is_settled(w->steps, (enum check_step)s))
            check_fine(w->steps, (enum check_step)s, fine_text(w, (enum check_step)s, &r));
    call_result_free(&r);
}

static enum check_result worst_of(const struct check_report steps[])
{
    enum check_result worst = CHECK_OK;

    for (int s = 0; s < CHECK_STEPS; s++)
        if (steps[s].result > worst)
            worst = steps[s].result;
    return worst == CHECK_SKIPPED ? CHECK_OK : worst;
}

static void add_walk(struct walker *w, struct check *out)
{
    out->walks = mem_grow(out->walks, (out->nwalks + 1) * sizeof(out->walks[0]));
    struct check_walk *new = &out->walks[out->nwalks++];

    *new = (struct check_walk){.tenant = w->tenant, .identity = w->identity};
    w->steps = new->steps;
    walk(w);
    new->result = worst_of(new->steps);
}

static bool is_there(const struct tenant *t, int identity)
{
    return t->identities[identity].certificate != NULL;
}

/* Refuses what `run` would refuse. */
static enum status check_files(struct config *c, struct diag *why)
{
    struct sandbox *plan = sandbox_plan(c);
    enum status st = config_check_files(c, why);

    if (st == ST_OK)
        st = sandbox_check_fetching(plan, c, why);
    sandbox_free(plan);
    return st;
}

void check_run(struct config *c, const struct check_options *o, struct check *out)
{
    struct diag flaw;
    struct walker w = {.config = c, .options = o};

    *out = (struct check){0};
    if (check_files(c, &flaw) != ST_OK)
        w.file_flaw = &flaw;
    w.room = call_room_new(c);
    for (w.index = 0; w.index < c->ntenants; w.index++) {
        w.tenant = c->tenants[w.index];
        for (w.identity = 0; w.identity < IDENTITIES; w.identity++)
            if ((o->tenant == NULL || strcmp(o->tenant, w.tenant->name) == 0) &&
                o->identities[w.identity] && is_there(w.tenant, w.identity))
                add_walk(&w, out);
    }
    call_room_free(w.room);
}

void check_free(struct check *c)
{
    for (size_t i = 0; i < c->nwalks; i++) {
        for (int s = 0; s < CHECK_STEPS; s++) {
            free(c->walks[i].steps[s].sentence);
            buf_free(&c->walks[i].steps[s].evidence);
        }
    }
    free(c->walks);
}
