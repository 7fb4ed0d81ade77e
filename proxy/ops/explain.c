#include "ops/explain.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/mem.h"
#include "caller/connect.h"
#include "exchange/judgement.h"
#include "exchange/request_pump.h"
#include "http/h1_reader.h"
#include "policy/route.h"
#include "policy/validity.h"

static const char hidden[] = "(not shown)";

/* The request that is being explained. */
struct dry_run {
    const struct config *config;
    const struct explain_request *request;
    struct explanation *out;
    struct guard_view view;
    struct authority url; /* of the URL */
    struct target connect;
    struct guard_inside inside;
    struct buf text;             /* the request as the caller would send it */
    struct head *head;           /* read from text */
    const char *listener_tenant; /* NULL: the listener serves all tenants */
};

const char *explain_change_text(enum explain_change c)
{
    static const char *const texts[] = {
        [EXPLAIN_ADDED] = "added", [EXPLAIN_CHANGED] = "changed", [EXPLAIN_REMOVED] = "removed"};

    return texts[c];
}

static void note(struct explanation *e, char *sentence)
{
    e->notes = mem_grow(e->notes, (e->nnotes + 1) * sizeof(e->notes[0]));
    e->notes[e->nnotes++] = sentence;
}

static bool refuse(struct dry_run *d, const struct failure *why)
{
    d->out->failure = *why;
    return false;
}

/* ---- the listener ---- */

static void use_listener(struct dry_run *d, size_t i)
{
    const struct listen_address *l = &d->config->listens[i];
    const struct address *a = &l->address;

    d->out->listener = l;
    d->listener_tenant = l->tenant < 0 ? NULL : d->config->tenants[l->tenant]->name;
    d->view = (struct guard_view){.config = d->config,
                                  .unix_listener = address_is_unix(a),
                                  .port = address_port(a),
                                  .remote_listener = !address_is_loopback(a),
                                  .tells_nothing = true};
    if (d->view.remote_listener)
        d->view.own = a;
}

/* A URL of the proxy itself determines the listener. */
static bool find_named_listener(struct dry_run *d, const struct target *t)
{
    for (size_t i = 0; i < d->config->nlistens; i++) {
        use_listener(d, i);
        if (!d->view.unix_listener && guard_names_proxy(&d->view, t))
            return true;
    }
    return false;
}

static bool leads_to(const struct dry_run *d, size_t i, const struct target *t)
{
    int tenant = d->config->listens[i].tenant;

    return tenant >= 0 && tenant_has_name(d->config->tenants[tenant], t->authority.host);
}

/* For any other URL the proxy is used as a proxy. The listener is then the first that serves all
 * tenants; otherwise the first of a tenant that has the server; otherwise the first. */
static void find_proxy_listener(struct dry_run *d, const struct target *t)
{
    size_t best = 0;

    for (size_t i = d->config->nlistens; i-- > 0;)
        if (leads_to(d, i, t))
            best = i;
    for (size_t i = d->config->nlistens; i-- > 0;)
        if (d->config->listens[i].tenant < 0)
            best = i;
    use_listener(d, best);
}

/* ---- the request, as the caller would send it ---- */

static void add_credentials(struct buf *out, const char *user)
{
    char *plain = mem_format("%s:", user);
    size_t n = strlen(plain);
    unsigned char *coded = mem_new(n / 3 * 4 + 5);

    (void)EVP_EncodeBlock(coded, (const unsigned char *)plain, (int)n);
    buf_addf(out, "Authorization: Basic %s\r\n", (const char *)coded);
    free(coded);
    free(plain);
}

static bool gives_host(const struct explain_request *r)
{
    for (size_t i = 0; i < r->nfields; i++) {
        struct slice rest = slice_of(r->fields[i]);
        if (field_identify(slice_split(&rest, ':')) == FIELD_HOST)
            return true;
    }
    return false;
}

static void write_request(struct dry_run *d, const char *target, const char *host)
{
    const struct explain_request *r = d->request;

    d->text.n = 0;
    buf_addf(&d->text, "%s %s HTTP/1.1\r\n", r->method, target);
    if (!gives_host(r))
        buf_addf(&d->text, "Host: %s\r\n", host);
    if (r->user != NULL)
        add_credentials(&d->text, r->user);
    for (size_t i = 0; i < r->nfields; i++)
        buf_addf(&d->text, "%s\r\n", r->fields[i]);
    buf_add_string(&d->text, "\r\n");
}

static bool read_request(struct dry_run *d)
{
    const struct h1_limits limits = {.max_head = (size_t)d->config->max_head,
                                     .max_target = (size_t)d->config->max_target};
    struct h1_reader reader = {0};
    struct failure why;
    size_t used;

    enum h1_result result =
        h1_read_request(&reader, &limits, buf_slice(&d->text), d->head, &used, &why);
    if (result == H1_MORE)
        failure_plain(&why, FAIL_REQUEST_MALFORMED);
    return result == H1_DONE || refuse(d, &why);
}

/* ---- CONNECT ---- */

/* Asks as a client with an https proxy would: sends a CONNECT for the server, and then the request
 * inside it. */
static bool enter(struct dry_run *d, const char *authority)
{
    const struct endpoint *to;
    struct failure why;

    d->out->by_connect = true;
    d->text.n = 0;
    buf_addf(&d->text, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n", authority, authority);
    if (!read_request(d))
        return false;
    switch (connect_judge(&d->view, d->listener_tenant, d->head, &d->connect, &to, &why)) {
    case CONNECT_NOWHERE:
        return refuse(d, &why);
    case CONNECT_THROUGH:
        note(d->out, mem_format("The CONNECT leads to %s:%d (connect-allow): sfmtls passes bytes "
                                "through, and adds neither a certificate nor a field.",
                                to->host, to->port));
        d->out->passes = true;
        return false;
    default:
        d->inside = (struct guard_inside){.target = d->url, .secure = true};
        d->view.inside = &d->inside;
        return true;
    }
}

/* ---- what the server gets ---- */

static void add_field(struct explanation *e, enum explain_change change, struct slice name,
                      struct slice value, const char *why)
{
    e->fields = mem_grow(e->fields, (e->nfields + 1) * sizeof(e->fields[0]));
    e->fields[e->nfields++] =
        (struct explain_field){.change = change,
                               .name = mem_copy_bytes(name.p, name.n),
                               .value = value.p == NULL ? NULL : mem_copy_bytes(value.p, value.n),
                               .why = why};
}

static struct slice value_of(const struct buf *line)
{
    struct slice rest = buf_slice(line);

    (void)slice_split(&rest, ':');
    return slice_trim((struct slice){rest.p, rest.n - 2});
}

static void compare_field(struct explanation *e, const struct head *h, const struct field *f,
                          const struct edit_rules *rules)
{
    struct buf line = {0};

    if (f->id == FIELD_HOST || f->id == FIELD_COMPANY_ID)
        return; /* list_replaced() shows those */
    edit_request_field(&line, h, f, rules);
    if (line.n == 0)
        add_field(e, EXPLAIN_REMOVED, f->name, (struct slice){0}, edit_reason(h, f, rules));
    else if (!slice_eq(value_of(&line), f->value))
        add_field(e, EXPLAIN_CHANGED, f->name, value_of(&line), edit_reason(h, f, rules));
    buf_free(&line);
}

static void list_replaced(struct explanation *e, const struct head *h,
                          const struct edit_rules *rules)
{
    add_field(e, head_has(h, FIELD_HOST) ? EXPLAIN_CHANGED : EXPLAIN_ADDED, SLICE("Host"),
              slice_of(rules->host), "it is the name of the tenant's server");
    add_field(e, head_has(h, FIELD_COMPANY_ID) ? EXPLAIN_CHANGED : EXPLAIN_ADDED,
              SLICE("successfactors-companyid"), slice_of(rules->company_id),
              "it is the tenant's company-id");
}

static void list_added(struct explanation *e, const struct tenant *t, bool counts,
                       const struct edit_rules *rules)
{
    for (size_t i = 0; i < t->nheaders; i++)
        add_field(e, EXPLAIN_ADDED, slice_of(t->headers[i].name), slice_of(hidden),
                  "the tenant's header option of that name");
    if (rules->body == EDIT_BODY_CHUNKED)
        add_field(e, EXPLAIN_ADDED, SLICE("Transfer-Encoding"), SLICE("chunked"),
                  "links in the body are rewritten, so its length is not known beforehand");
    if (counts)
        add_field(e, EXPLAIN_ADDED, SLICE("Content-Length"), SLICE("(counted)"),
                  "links in the body are rewritten, so sfmtls counts its length");
}

/* Hides the values of header.NAME, which may be secret. */
static struct edit_header *hide_values(const struct tenant *t)
{
    struct edit_header *headers = mem_new((t->nheaders + 1) * sizeof(headers[0]));

    for (size_t i = 0; i < t->nheaders; i++)
        headers[i] = (struct edit_header){t->headers[i].name, hidden};
    return headers;
}

static void edit(struct dry_run *d, const struct judgement *j)
{
    struct explanation *e = d->out;
    struct edit_header *headers = hide_values(j->tenant);
    struct edit_rules rules;
    struct buf base = {0};

    judgement_write_base(j, d->head, d->inside.secure, &base);
    judgement_set_rules(j, d->head, buf_slice(&base), &rules);
    rules.headers = headers;
    if (judgement_rewrites_body(d->head, buf_slice(&base)))
        rules.body = request_pump_rewritten(d->head);
    bool counts = rules.body == EDIT_BODY_LATER;
    edit_request(&e->head, d->head, &j->target, &rules);
    if (counts)
        buf_add_string(&e->head, "Content-Length: (counted)\r\n\r\n");
    list_replaced(e, d->head, &rules);
    list_added(e, j->tenant, counts, &rules);
    for (size_t i = 0; i < d->head->nfields; i++)
        compare_field(e, d->head, &d->head->fields[i], &rules);
    buf_free(&base);
    free(headers);
}

/* ---- all of it ---- */

static bool check_caller(struct dry_run *d, const struct tenant *t)
{
    struct failure why;
    struct basic b;

    if (t->callers == NULL)
        return true;
    if (!judgement_read_credentials(d->head, &b, &why))
        return refuse(d, &why);
    bool known = callers_have(t->callers, b.user);
    basic_wipe(&b);
    judgement_refuse_caller(&why);
    if (!known)
        return refuse(d, &why);
    note(d->out, mem_format("The caller's password must fit %s.", t->callers_file));
    return true;
}

static bool check_rules(struct dry_run *d, const struct judgement *j)
{
    struct failure why;

    if (j->tenant->rules == NULL)
        return true;
    if (!rules_cover(j->tenant->rules, d->head, &j->target, &why))
        return refuse(d, &why);
    rules_write_covering(j->tenant->rules, d->head, &j->target, &d->out->rule);
    return true;
}

static bool check_certificate(struct dry_run *d, const struct tenant *t)
{
    struct failure why;

    return tenant_is_presentable(t) || identity_is_presentable(t, IDENTITY_CURRENT, &why) ||
           refuse(d, &why);
}

static void add_notes(const struct dry_run *d, const struct tenant *t)
{
    if (d->config->tokens != NULL)
        note(d->out, mem_format("The caller must also send a token of %s, in X-Sfmtls-Token or "
                                "Proxy-Authorization: Bearer.",
                                d->config->token_file));
    if (d->config->ntenants > 1 && head_has(d->head, FIELD_COOKIE))
        note(d->out, mem_copy_string("Of the cookies, the server gets only those that it has set "
                                     "since sfmtls started."));
    if (t->keep_authorization && head_has(d->head, FIELD_AUTHORIZATION))
        note(d->out, mem_copy_string("`authorization = keep`: the server gets the caller's own "
                                     "credentials beside the certificate, and may prefer them."));
    if (t->session_reuse && !head_has(d->head, FIELD_COOKIE))
        note(d->out, mem_copy_string("`session-reuse = on`: the server gets the cookies and the "
                                     "X-CSRF-Token of the caller's session, if there is one."));
}

static void add_rate_note(const struct dry_run *d, const struct judgement *j)
{
    struct slice query = j->target.path, path = slice_split(&query, '?');
    const struct tenant_rate *r = tenant_find_rate(j->tenant, path);

    if (r != NULL)
        note(d->out, mem_format("`rate = %s %zu/s`: it is one of at most %zu requests a second; "
                                "further ones wait in the queue.",
                                r->text, r->limit, r->limit));
}

static bool judge(struct dry_run *d)
{
    struct judgement j;
    struct failure why;

    if (!judgement_make(&j, &d->view, d->listener_tenant, d->head, &why))
        return refuse(d, &why);
    if (j.own_answer == OWN_ANSWER_PREFLIGHT) {
        note(d->out, mem_copy_string("A preflight of a page that may call (allow-origin): sfmtls "
                                     "answers it itself with 204."));
        return true;
    }
    d->out->tenant = j.tenant;
    route_write_claims(d->config, d->listener_tenant, d->head, &j.target, &d->out->found_by);
    if (!check_caller(d, j.tenant) || !check_rules(d, &j))
        return false;
    if (j.own_answer == OWN_ANSWER_OPTIONS) {
        note(d->out, mem_copy_string("An OPTIONS that may not be forwarded (Max-Forwards): sfmtls "
                                     "answers it itself with 204."));
        return true;
    }
    if (!check_certificate(d, j.tenant))
        return false;
    edit(d, &j);
    add_notes(d, j.tenant);
    add_rate_note(d, &j);
    return true;
}

static char *listener_host(const struct dry_run *d)
{
    const struct listen_address *l = d->out->listener;
    char text[ADDRESS_TEXT_SIZE];

    if (d->view.unix_listener)
        return mem_copy_string("localhost");
    if (l->of_localhost)
        return mem_format("localhost:%d", d->view.port);
    address_text(&l->address, text);
    return mem_copy_string(text);
}

static bool explain_path(struct dry_run *d)
{
    use_listener(d, 0);
    char *host = listener_host(d);
    write_request(d, d->request->url, host);
    free(host);
    return read_request(d) && judge(d);
}

/* The request is in absolute-form, or in origin-form if the URL is the proxy's own. */
static bool explain_url(struct dry_run *d, const struct target *t, struct slice authority)
{
    const char *path = authority.p + authority.n;
    char *host = mem_copy_bytes(authority.p, authority.n), *rooted = NULL;
    bool own = find_named_listener(d, t), goes_on = true;

    if (!own)
        find_proxy_listener(d, t);
    if (!own && t->https) {
        char *target = mem_format("%s%s", host, t->authority.port == 0 ? ":443" : "");
        goes_on = enter(d, target);
        free(target);
    }
    if ((own && !t->https) || d->view.inside != NULL)
        path = rooted = mem_format("%s%s", *path == '/' ? "" : "/", path);
    else
        path = d->request->url;
    write_request(d, path, host);
    free(rooted);
    free(host);
    return goes_on && read_request(d) && judge(d);
}

/* Splits the URL. Returns false if it is not a URL. */
static bool split_url(struct slice url, struct target *t, struct slice *authority)
{
    struct slice schemes[] = {SLICE("http://"), SLICE("https://")};

    *t = (struct target){.form = TARGET_ABSOLUTE};
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        struct slice s = schemes[i];
        if (url.n < s.n || !slice_eq_nocase((struct slice){url.p, s.n}, s))
            continue;
        t->https = i == 1;
        authority->p = url.p + s.n;
        authority->n = strcspn(authority->p, "/?#");
        return authority_parse(*authority, &t->authority);
    }
    return false;
}

/* Does not repeat the URL, which may hold a password. */
static void refuse_url(const char *url, struct diag *why)
{
    if (strchr(url, '@') != NULL)
        diag_set(why, "the URL holds a user: write it without, and name the user with -u USER, "
                      "without a password");
    else
        diag_set(why, "`%s` is not a URL: write http://HOST/PATH, https://HOST/PATH or /PATH", url);
}

bool explain_make(const struct config *c, const struct explain_request *r, struct explanation *out,
                  struct diag *why)
{
    struct dry_run d = {.config = c, .request = r, .out = out};
    struct slice authority = {0};
    struct target t;

    *out = (struct explanation){0};
    if (r->url[0] != '/' && !split_url(slice_of(r->url), &t, &authority)) {
        refuse_url(r->url, why);
        return false;
    }
    h1_reader_setup();
    d.head = head_new((size_t)c->max_fields);
    if (r->url[0] == '/') {
        out->passes = explain_path(&d);
    } else {
        d.url = t.authority;
        out->passes = explain_url(&d, &t, authority) || out->passes;
    }
    head_free(d.head);
    buf_free(&d.text);
    return true;
}

void explain_free(struct explanation *e)
{
    for (size_t i = 0; i < e->nfields; i++) {
        free(e->fields[i].name);
        free(e->fields[i].value);
    }
    for (size_t i = 0; i < e->nnotes; i++)
        free(e->notes[i]);
    free(e->fields);
    free(e->notes);
    buf_free(&e->found_by);
    buf_free(&e->rule);
    buf_free(&e->head);
}
