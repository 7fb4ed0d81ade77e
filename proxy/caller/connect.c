#include "caller/connect.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "http/mask.h"
#include "policy/guard.h"
#include "policy/route.h"

/* ---- answers ---- */

static void report(const struct client *c, const struct client_request *r, const char *id,
                   int status, const struct failure *why)
{
    struct record record = {.id = id,
                            .caller = client_caller(c),
                            .method = r->head->method_name,
                            .path = mask_target(r->head->target),
                            .status = status,
                            .failure = why};

    clients_report(client_all(c), &record, r->begun_us, clock_monotonic_us());
}

/* Refuses the CONNECT. The bytes after its head were meant for its target, so they are not read as
 * HTTP and the connection ends. */
static void refuse(struct client *c, const struct client_request *r, const struct failure *why)
{
    char id[REQUEST_ID_SIZE];

    clients_new_id(client_all(c), id);
    report(c, r, id, client_refuse(c, why, &(struct client_refusal){.id = id}), why);
    client_done(c, false);
}

static void accept_inside(struct client *c, const struct client_request *r, struct inside *in)
{
    char id[REQUEST_ID_SIZE];

    clients_new_id(client_all(c), id);
    (void)stream_write_bytes(client_stream(c), CONNECT_ESTABLISHED,
                             sizeof(CONNECT_ESTABLISHED) - 1);
    report(c, r, id, 200, NULL);
    client_enter(c, in);
    client_done(c, true);
}

/* ---- configured servers ---- */

/* The host in the form that the configuration and the CA use: lower case, no dot at the end. */
static char *plain_host(const struct target *t)
{
    struct slice host = authority_without_dot(t->authority.host);
    char *text = mem_copy_bytes(host.p, host.n);

    for (char *p = text; *p != '\0'; p++)
        *p = ascii_lower(*p);
    return text;
}

static bool open_inside(const struct client *c, const struct client_request *r,
                        const struct target *t, struct inside **out, struct failure *why)
{
    const struct clients *all = client_all(c);
    SSL_CTX *tls;
    struct diag flaw;

    char *host = plain_host(t);
    enum status st = local_leaves_take(all->leaves, host, clock_wall_s(), &tls, &flaw);
    if (st == ST_OK)
        *out = inside_new(host, t->authority.port, guard_token(all->config, r->head), tls);
    else
        failure_set(why, FAIL_LOCAL_CA, "%s", flaw.text);
    free(host);
    return st == ST_OK;
}

/* ---- other targets ---- */

static bool is_host(const struct endpoint *e, const struct authority *a)
{
    char text[INET6_ADDRSTRLEN];
    struct in6_addr wanted, asked;

    if (!a->ipv6)
        return authority_host_eq(slice_of(e->host), a->host);
    memcpy(text, a->host.p, a->host.n); /* it was parsed as an address before */
    text[a->host.n] = '\0';
    return inet_pton(AF_INET6, e->host, &wanted) == 1 && inet_pton(AF_INET6, text, &asked) == 1 &&
           memcmp(&wanted, &asked, sizeof(asked)) == 0;
}

static const struct endpoint *find_allowed(const struct config *c, const struct authority *a)
{
    for (size_t i = 0; i < c->nconnect_allow; i++)
        if (c->connect_allow[i].port == a->port && is_host(&c->connect_allow[i], a))
            return &c->connect_allow[i];
    return NULL;
}

/* Names the targets that are allowed. */
static void add_allowed(struct buf *out, const struct config *c)
{
    for (size_t i = 0; i < c->ntenants; i++)
        for (char **name = c->tenants[i]->names; *name != NULL; name++)
            buf_addf(out, "%s%s", out->n == 0 ? "" : ", ", *name);
    for (size_t i = 0; i < c->nconnect_allow; i++)
        buf_addf(out, ", %s:%d", c->connect_allow[i].host, c->connect_allow[i].port);
}

/* ---- the proxy itself ---- */

static bool is_own_port(const struct guard_view *v, int port)
{
    const struct config *c = v->config;

    for (size_t i = 0; i < c->nlistens; i++)
        if (port == address_port(&c->listens[i].address))
            return true;
    for (size_t i = 0; i < c->nadmins; i++)
        if (port == address_port(&c->admins[i].address))
            return true;
    return port == v->port;
}

/* Is it an address of this machine? 0.0.0.0 counts too. This takes system calls, so ask only if the
 * port is one of the proxy's own. */
static bool is_own_address(struct authority a)
{
    struct buf text = {0};
    struct address own;
    struct diag why;

    a.host = authority_without_dot(a.host);
    authority_write(&text, &a, 0);
    buf_add(&text, "", 1);
    bool found = authority_is_address(a.host) && address_parse(text.p, &own, &why) == ST_OK &&
                 address_is_available(&own);
    buf_free(&text);
    return found;
}

/* Does the target lead back to a listener of this proxy? A caller of such a tunnel would appear
 * there with the user and address of the proxy. */
static bool leads_back(const struct guard_view *v, const struct target *t)
{
    return is_own_port(v, t->authority.port) && !route_has_server(v->config, t) &&
           (guard_is_own_name(v, &t->authority) || is_own_address(t->authority));
}

/* The allowed target that is not a configured server. NULL with the reason in *why. */
static const struct endpoint *find_other(const struct head *h, const struct target *t,
                                         const struct guard_view *v, struct failure *why)
{
    const struct config *config = v->config;
    const struct endpoint *to = find_allowed(config, &t->authority);
    struct buf allowed = {0};

    if (to != NULL)
        return guard_knows_caller(v, NULL, why) ? to : NULL;
    if (config->local_ca == NULL && config->connect_other == CONNECT_REFUSE) {
        failure_plain(why, FAIL_CONNECT_NOT_SERVED);
        return NULL;
    }
    add_allowed(&allowed, config);
    failure_set(why, FAIL_CONNECT_NOT_ALLOWED, "CONNECT to %.*s is not allowed; these are: %.*s.",
                (int)h->target.n, h->target.p, (int)allowed.n, allowed.p);
    buf_free(&allowed);
    return NULL;
}

static bool admits(const struct guard_view *v, const struct head *h, struct target *target,
                   struct failure *why)
{
    if (!target_parse(h, target, why) || !guard_admits_connect(v, h, target, why))
        return false;
    if (!leads_back(v, target))
        return true;
    failure_set(why, FAIL_CONNECT_NOT_ALLOWED,
                "CONNECT to %.*s would lead back to this proxy; call it by http, without a proxy "
                "for it (no_proxy).",
                (int)h->target.n, h->target.p);
    return false;
}

enum connect_way connect_judge(const struct guard_view *v, const char *listener_tenant,
                               const struct head *h, struct target *target,
                               const struct endpoint **to, struct failure *why)
{
    *to = NULL;
    if (!admits(v, h, target, why))
        return CONNECT_NOWHERE;
    if (!config_has_name(v->config, target->authority.host)) {
        *to = find_other(h, target, v, why);
        return *to == NULL ? CONNECT_NOWHERE : CONNECT_THROUGH;
    }
    if (v->config->local_ca != NULL)
        return route_leads(v->config, listener_tenant, target, why) ? CONNECT_INSIDE
                                                                    : CONNECT_NOWHERE;
    failure_plain(why, FAIL_CONNECT_NOT_SERVED);
    return CONNECT_NOWHERE;
}

const struct endpoint *connect_serve(struct client *c, const struct client_request *r)
{
    const struct client_door *door = client_door(c);
    struct guard_view view = {.config = client_all(c)->config,
                              .unix_listener = door->is_unix,
                              .port = door->port,
                              .remote_listener = door->is_remote,
                              .own = client_own_address(c)};
    const struct endpoint *to;
    struct inside *in = NULL;
    struct target target;
    struct failure why;

    enum connect_way way = connect_judge(&view, door->tenant, r->head, &target, &to, &why);
    if (way == CONNECT_INSIDE && open_inside(c, r, &target, &in, &why))
        accept_inside(c, r, in);
    else if (way != CONNECT_THROUGH)
        refuse(c, r, &why);
    return to;
}
