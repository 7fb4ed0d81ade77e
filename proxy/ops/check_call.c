#include "ops/check_call.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "config/parent_proxy.h"
#include "exchange/hint.h"
#include "http/mask.h"
#include "ops/check_files.h"
#include "ops/unused_proxy.h"

enum { CLOCK_TOLERANCE_S = 300 };

/* ---- the clock ---- */

static char *difference_text(int64_t ahead)
{
    int64_t s = ahead < 0 ? -ahead : ahead;
    int64_t unit = s >= 2 * SECONDS_PER_DAY    ? SECONDS_PER_DAY
                   : s >= 2 * SECONDS_PER_HOUR ? SECONDS_PER_HOUR
                                               : SECONDS_PER_MINUTE;
    const char *name = unit == SECONDS_PER_DAY    ? "days"
                       : unit == SECONDS_PER_HOUR ? "hours"
                                                  : "minutes";

    return mem_format("%lld %s %s the server's", (long long)((s + unit / 2) / unit), name,
                      ahead < 0 ? "behind" : "ahead of");
}

static void check_clock(const struct check_call *call, const struct call_result *r)
{
    int64_t ahead = r->date_s == 0 ? 0 : clock_wall_s() - r->date_s;

    if (ahead > CLOCK_TOLERANCE_S || ahead < -CLOCK_TOLERANCE_S) {
        char *text = difference_text(ahead);
        check_tell_cause(call->steps, cause_of(CAUSE_CLOCK),
                         mem_format("The clock of this machine is %s.", text));
        free(text);
    }
    check_fine(call->steps, CHECK_CLOCK,
               mem_copy_string(r->date_s == 0
                                   ? "it agrees with the dates of the client certificate; the "
                                     "server has sent no time"
                                   : "it agrees with the server's Date"));
    if (r->date_s != 0)
        check_note_number(&call->steps[CHECK_CLOCK], "ahead_s", ahead);
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

static void check_request(const struct check_call *call, const struct call_result *r)
{
    if (!r->requested)
        check_tell(call->steps, CHECK_CERTIFICATE_REQUEST, CHECK_WARN, NULL,
                   mem_format("%s never asked for the client certificate, so it does not know who "
                              "calls.",
                              call->tenant->peer),
                   NULL);
}

/* Other programs would have gone through a proxy, so the direct way may be closed. */
static void check_way(const struct check_call *call, const struct failure *why)
{
    const char *unused = unused_proxy_of(call->config, call->tenant);
    enum check_step s = check_step_of_failure(why);
    bool is_local = why->id == FAIL_SHORTAGE || why->id == FAIL_SERVER_VANISHED;

    if (unused != NULL && !is_local && (s == CHECK_NAME || s == CHECK_CONNECT))
        check_tell(call->steps, CHECK_PARENT_PROXY, CHECK_WARN, NULL,
                   mem_format("%s is set, but the configuration names no parent-proxy, so sfmtls "
                              "connects directly.",
                              unused),
                   "If the network does not permit that, set parent-proxy = system in [proxy].");
}

static void add_times(const struct check_call *call, const struct call_result *r)
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
            check_note_number(&call->steps[parts[i].step], "ms", (parts[i].us + 500) / 1000);
}

static void add_connection(const struct check_call *call, const struct call_result *r)
{
    if (call->tenant->parent != NULL)
        check_note(&call->steps[CHECK_PARENT_PROXY], "proxy", call->tenant->parent->name);
    check_note(&call->steps[CHECK_CONNECT], "address", r->address);
    check_note(&call->steps[CHECK_TLS], "version", r->tls);
    check_note(&call->steps[CHECK_TLS], "cipher", r->cipher);
    check_note_list(&call->steps[CHECK_SERVER_CERTIFICATE], "chain", r->chain, r->nchain);
    check_note_list(&call->steps[CHECK_CERTIFICATE_REQUEST], "authorities", r->authorities,
                    r->nauthorities);
}

/* ---- the answer ---- */

static bool is_success(int status)
{
    return status >= 200 && status < 300;
}

static void tell_cause(const struct check_call *call, const struct call_result *r,
                       const struct cause *c, const struct cause_found *found)
{
    struct buf text = {0};

    hint_write_known(&text, c, found, call->tenant, call->identity);
    char *sentence = mem_copy_bytes(text.p, text.n);
    buf_free(&text);
    /* The server asked for the certificate and got it, so it does not accept the certificate. */
    if (cause_id(c) == CAUSE_LGN0003 && r->requested)
        check_tell(call->steps, CHECK_CLIENT_CERTIFICATE, CHECK_FAIL, c->code, sentence, c->cure);
    else
        check_tell_cause(call->steps, c, sentence);
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
static void tell_status(const struct check_call *call, const struct call_result *r)
{
    char *destination = destination_text(r);

    if (r->status == 401 || r->status == 403)
        check_tell(call->steps, CHECK_PERMISSION, CHECK_FAIL, NULL,
                   mem_format("The server answered %d to GET %s, and does not say why in a form "
                              "that sfmtls knows.",
                              r->status, call->path),
                   "Look at the whole answer: call the path through sfmtls.");
    else if (r->status >= 500)
        check_tell(call->steps, CHECK_HTTP, CHECK_FAIL, NULL,
                   mem_format("The server answered %d to GET %s.", r->status, call->path),
                   "Try again later, or name another path with --path.");
    else
        check_tell(call->steps, CHECK_HTTP, CHECK_UNKNOWN, NULL,
                   mem_format("The server answered %d to GET %s%s, which says nothing of the "
                              "company.",
                              r->status, call->path, destination),
                   "Name a path that the server has with --path.");
    free(destination);
}

static void judge_answer(const struct check_call *call, const struct call_result *r)
{
    const struct cause_answer answer = {r->status, slice_of(r->content_type),
                                        buf_slice(&r->content)};
    struct cause_found found;
    const struct cause *c = cause_of_answer(&answer, &found);

    if (c != NULL)
        tell_cause(call, r, cause_sharpen(c, &r->evidence), &found);
    else if (!is_success(r->status))
        tell_status(call, r);
    check_note_number(&call->steps[CHECK_HTTP], "status", r->status);
}

/* Reports the steps that need an answer, because no request was made. */
static void tell_unasked(const struct check_call *call)
{
    check_tell(call->steps, CHECK_CLIENT_CERTIFICATE, CHECK_UNKNOWN, NULL,
               mem_copy_string("Only an answer shows whether the server accepts it."), NULL);
    check_tell(call->steps, CHECK_HTTP, CHECK_UNKNOWN, NULL,
               mem_format("No `allow` rule of the tenant covers GET %s.", call->path),
               "Name a path that a rule covers with --path.");
}

/* ---- all of it ---- */

char *check_call_text(const struct check_call *call, enum check_step s, const struct call_result *r)
{
    const struct parent_proxy *parent = call->tenant->parent;

    switch (s) {
    case CHECK_PARENT_PROXY:
        return parent == NULL ? mem_copy_string("none: the server is reached directly")
                              : mem_format("%s (%s)", parent->name, parent->where);
    case CHECK_NAME:
        return mem_format("%s%s", dialled(call->tenant)->host,
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
        return mem_format("the answer was %d to GET %s", r->status, call->path);
    case CHECK_COMPANY:
        return mem_copy_string(call->tenant->company_id);
    default:
        return NULL;
    }
}

/* The server has answered without having seen the certificate. */
static void tell_unsent(const struct check_call *call, const struct call_result *r)
{
    static const char nothing[] = "The answer says nothing of the certificate, which was not sent.";

    check_tell(call->steps, CHECK_CLIENT_CERTIFICATE, CHECK_UNKNOWN, NULL,
               mem_copy_string("It was not sent, because the server did not ask for it."), NULL);
    check_fine(call->steps, CHECK_HTTP, check_call_text(call, CHECK_HTTP, r));
    if (check_is_settled(call->steps, CHECK_COMPANY))
        return;
    check_tell(call->steps, CHECK_COMPANY, CHECK_UNKNOWN, NULL, mem_copy_string(nothing), NULL);
    check_tell(call->steps, CHECK_PERMISSION, CHECK_UNKNOWN, NULL, mem_copy_string(nothing), NULL);
}

void check_call_judge(const struct check_call *call, bool asked, const struct call_result *r)
{
    if (r->failed) {
        check_way(call, &r->failure);
        check_tell_failure(call->steps, &r->failure);
    }
    if (r->connected)
        add_connection(call, r);
    add_times(call, r);
    check_clock(call, r);
    if (!r->failed && asked)
        judge_answer(call, r);
    else if (!r->failed)
        tell_unasked(call);
    if (r->connected)
        check_request(call, r);
    if (!r->failed && asked && !r->requested &&
        check_succeeded(call->steps, CHECK_CERTIFICATE_REQUEST))
        tell_unsent(call, r);
    check_chain(call->steps, call->tenant, call->identity, r);
}
