#include "policy/guard.h"

#include "http/authorization.h"
#include "http/cors.h"
#include "policy/route.h"

static bool check_method(const struct head *h, struct failure *why)
{
    if (h->method == METHOD_CONNECT) {
        failure_set(why, FAIL_CONNECT_NOT_ALLOWED, "A CONNECT inside a CONNECT is not served.");
        return false;
    }
    if (h->method == METHOD_TRACE) {
        failure_plain(why, FAIL_METHOD_NOT_ALLOWED);
        return false;
    }
    return true;
}

static bool check_upgrade(const struct head *h, struct failure *why)
{
    struct head_list at = {0};
    struct slice protocol;

    while (h->minor > 0 && head_next_member(h, FIELD_UPGRADE, &at, &protocol)) {
        if (slice_eq_nocase(slice_split(&protocol, '/'), SLICE("websocket"))) {
            failure_plain(why, FAIL_WEBSOCKET_NOT_SERVED);
            return false;
        }
    }
    return true;
}

static bool check_expectation(const struct head *h, struct failure *why)
{
    struct head_list at = {0};
    struct slice member;

    while (h->minor > 0 && head_next_member(h, FIELD_EXPECT, &at, &member)) {
        if (!slice_eq_nocase(member, SLICE("100-continue"))) {
            failure_plain(why, FAIL_EXPECTATION);
            return false;
        }
    }
    return true;
}

static bool refuse_inside(const struct guard_inside *in, const char *what, struct slice said,
                          struct failure *why)
{
    failure_set(why, FAIL_HOST_NOT_SERVED, "The CONNECT was to %.*s, but %s%.*s.",
                (int)in->target.host.n, in->target.host.p, what, (int)said.n, said.p);
    return false;
}

/* All names of a host inside a CONNECT have to be the CONNECT's host. */
static bool check_inside(const struct guard_inside *in, const struct target *t,
                         const struct authority *host, struct failure *why)
{
    if (in->misnamed)
        return refuse_inside(in, "TLS was begun for another host (SNI)", SLICE(""), why);
    if (t->form == TARGET_ABSOLUTE && !authority_host_eq(in->target.host, t->authority.host))
        return refuse_inside(in, "the URL's host is ", t->authority.host, why);
    if (host->host.p != NULL && !authority_host_eq(in->target.host, host->host))
        return refuse_inside(in, "Host is ", host->host, why);
    return true;
}

bool guard_is_own_name(const struct guard_view *v, const struct authority *host)
{
    return authority_is_loopback(host) || config_has_host_name(v->config, host->host) ||
           (v->own != NULL &&
            address_is_host(v->own, authority_without_dot(host->host), host->ipv6));
}

static int port_of(const struct target *t)
{
    return t->authority.port != 0 ? t->authority.port : authority_default_port(t->https);
}

bool guard_names_proxy(const struct guard_view *v, const struct target *target)
{
    int own = v->port != 0 ? v->port : authority_default_port(target->https);

    return target->form == TARGET_ABSOLUTE && v->inside == NULL && port_of(target) == own &&
           guard_is_own_name(v, &target->authority) && !route_has_server(v->config, target);
}

/* A URL of the proxy itself must not be https, because its listener speaks plain HTTP (RFC 9110,
 * 7.4). */
static bool check_own_scheme(const struct target *t, struct failure *why)
{
    if (!t->own || !t->https)
        return true;
    failure_set(why, FAIL_HOST_NOT_SERVED,
                "https://%s%.*s%s:%d is this proxy itself, which speaks plain HTTP there; call it "
                "by http.",
                t->authority.ipv6 ? "[" : "", (int)t->authority.host.n, t->authority.host.p,
                t->authority.ipv6 ? "]" : "", port_of(t));
    return false;
}

/* The value of Host has to be well-formed (RFC 9112, 3.2). The number of Host fields was checked
 * when the head was read. */
static bool check_host(const struct guard_view *v, const struct head *h, const struct target *t,
                       struct failure *why)
{
    struct slice value = head_value(h, FIELD_HOST);
    struct authority host = {0}; /* stays empty for HTTP/1.0 without Host */

    if (value.p != NULL && !authority_parse(value, &host)) {
        failure_set(why, FAIL_REQUEST_HOST, "The Host field is not of the form host[:port].");
        return false;
    }
    if (v->inside != NULL)
        return check_inside(v->inside, t, &host, why);
    if (t->form == TARGET_ABSOLUTE) { /* the URL counts, not Host (RFC 9112, 3.2.2) */
        if (!v->answers_itself)
            return check_own_scheme(t, why);
        host = t->authority;
        value = host.host;
    }
    if (value.p == NULL || v->unix_listener || guard_is_own_name(v, &host) ||
        config_has_name(v->config, host.host))
        return true;
    failure_set(why, FAIL_HOST_NOT_SERVED, "%.*s is not a name of this proxy.", (int)value.n,
                value.p);
    return false;
}

/* Is it the origin (RFC 6454) that a page served through this proxy would have? */
static bool is_own_origin(const struct guard_view *v, const struct head *h, const struct target *t,
                          struct slice origin)
{
    bool secure = v->inside != NULL && v->inside->secure;
    struct slice scheme = secure ? SLICE("https://") : SLICE("http://");
    int port = authority_default_port(secure);
    struct authority own, other;

    if (origin.n <= scheme.n || !slice_eq_nocase((struct slice){origin.p, scheme.n}, scheme))
        return false;
    origin = (struct slice){origin.p + scheme.n, origin.n - scheme.n};
    if (!authority_parse(origin, &other))
        return false;
    if (v->inside != NULL)
        own = v->inside->target;
    else if (t->form == TARGET_ABSOLUTE)
        own = t->authority;
    else if (!authority_parse(head_value(h, FIELD_HOST), &own))
        return false;
    return authority_host_eq(own.host, other.host) &&
           (own.port == 0 ? port : own.port) == (other.port == 0 ? port : other.port);
}

const struct page_origin *guard_page(const struct config *c, const struct head *request)
{
    if (c->norigins == 0 || head_count(request, FIELD_ORIGIN) != 1)
        return NULL;
    return config_find_origin(c, head_value(request, FIELD_ORIGIN));
}

static bool check_page(const struct guard_view *v, const struct head *h, const struct target *t,
                       struct failure *why)
{
    struct slice origin = head_value(h, FIELD_ORIGIN);
    struct slice site = head_value(h, FIELD_SEC_FETCH_SITE);

    if (guard_page(v->config, h) != NULL)
        return true; /* then Sec-Fetch-Site does not matter */
    if (head_count(h, FIELD_ORIGIN) > 1 || (origin.p != NULL && !is_own_origin(v, h, t, origin))) {
        failure_set(why, FAIL_FOREIGN_ORIGIN, "The request was made by a web page (Origin: %.*s).",
                    (int)origin.n, origin.p);
        return false;
    }
    if (head_count(h, FIELD_SEC_FETCH_SITE) > 1 ||
        (site.p != NULL && !slice_eq(site, SLICE("same-origin")) &&
         !slice_eq(site, SLICE("none")))) {
        failure_set(why, FAIL_FOREIGN_ORIGIN,
                    "The request was made by a web page (Sec-Fetch-Site: %.*s).", (int)site.n,
                    site.p);
        return false;
    }
    return true;
}

/* A listener that only this machine can reach refuses forwarded requests, because their caller may
 * be on another machine. */
static bool check_forwarded(const struct guard_view *v, const struct head *h, struct failure *why)
{
    size_t at = 0;
    const struct field *f = head_next(h, FIELD_FORWARDED, &at);

    if (f == NULL || v->remote_listener || v->config->allow_forwarded)
        return true;
    failure_set(
        why, FAIL_FORWARDED,
        "The request has the field %.*s, so another proxy forwarded it, and its caller may be "
        "on another machine.",
        (int)f->name.n, f->name.p);
    return false;
}

/* The token of Bearer credentials (RFC 6750, 2.1); p NULL: they are not Bearer credentials. */
static struct slice bearer_of(struct slice credentials)
{
    struct slice token = credentials;

    if (!slice_eq_nocase(slice_split(&token, ' '), SLICE("bearer")))
        return (struct slice){NULL, 0};
    return slice_trim(token);
}

/* The first of the values that is a configured token; p NULL: there is none. */
static struct slice find_token(const struct tokens *tokens, const struct slice *said, size_t n)
{
    for (size_t i = 0; tokens != NULL && i < n; i++)
        if (said[i].p != NULL && tokens_have(tokens, said[i]))
            return said[i];
    return (struct slice){NULL, 0};
}

struct slice guard_token(const struct config *c, const struct head *request)
{
    struct slice said[] = {head_value(request, FIELD_CALLER_TOKEN),
                           bearer_of(head_value(request, FIELD_PROXY_AUTHORIZATION))};

    return find_token(c->tokens, said, ARRAY_LEN(said));
}

bool guard_has_token(const struct tokens *tokens, const struct head *request)
{
    struct slice said[] = {head_value(request, FIELD_CALLER_TOKEN),
                           bearer_of(head_value(request, FIELD_AUTHORIZATION))};

    return find_token(tokens, said, ARRAY_LEN(said)).p != NULL;
}

static bool check_token(const struct guard_view *v, const struct head *h, const struct target *t,
                        struct failure *why)
{
    const struct tokens *tokens = v->config->tokens;
    bool proxy = v->inside == NULL && (t->form == TARGET_AUTHORITY || t->form == TARGET_ABSOLUTE);
    bool given = head_has(h, FIELD_CALLER_TOKEN) || head_has(h, FIELD_PROXY_AUTHORIZATION);

    if (tokens == NULL || v->tells_nothing || guard_token(v->config, h).p != NULL ||
        (v->inside != NULL && tokens_have(tokens, v->inside->token)))
        return true;
    failure_set(why, proxy ? FAIL_PROXY_TOKEN : FAIL_CALLER_TOKEN, "The request has %s.",
                given ? "a caller token that is not known here" : "no caller token");
    return false;
}

bool guard_knows_caller(const struct guard_view *v, const struct tenant *tenant,
                        struct failure *why)
{
    const struct config *c = v->config;
    bool known = c->tokens != NULL || (tenant != NULL && tenant->callers != NULL);

    if (!v->remote_listener || (c->allow_remote && known))
        return true;
    failure_set(why, FAIL_HOST_NOT_SERVED,
                "The listener by which the connection came is not served any more.");
    return false;
}

/* If the tenant has a callers-file, exchange_judge() reads the credentials, and the server does not
 * get them. */
bool guard_reads_credentials(const struct guard_view *v, const struct tenant *tenant,
                             const struct head *request, struct failure *why)
{
    const char *flaw = NULL;

    if (tenant->callers != NULL || !head_has(request, FIELD_AUTHORIZATION))
        return true;
    if (tenant->keep_authorization)
        flaw = authorization_ambiguity(request);
    else if (v->config->ntenants > 1)
        flaw = authorization_illegible(request);
    if (flaw == NULL)
        return true;
    failure_set(why, FAIL_REQUEST_MALFORMED,
                "The Authorization field %s, so it could mean another company than is read here.",
                flaw);
    return false;
}

bool guard_admits(const struct guard_view *v, const struct head *request,
                  const struct target *target, struct failure *why)
{
    bool preflight = guard_page(v->config, request) != NULL && cors_is_preflight(request);

    return check_method(request, why) && check_page(v, request, target, why) &&
           check_forwarded(v, request, why) &&
           (preflight || check_token(v, request, target, why)) &&
           check_host(v, request, target, why) && edit_connection_is_sound(request, why) &&
           check_upgrade(request, why) && check_expectation(request, why);
}

/* A CONNECT has no content (RFC 9110, 9.3.6). A sender could mean such bytes for the tunnel, while
 * a reader could take them as content. */
static bool check_no_body(const struct head *h, struct failure *why)
{
    if (!head_has(h, FIELD_CONTENT_LENGTH) && !head_has(h, FIELD_TRANSFER_ENCODING))
        return true;
    failure_set(why, FAIL_REQUEST_AMBIGUOUS,
                "A CONNECT has no body, so it may have neither Content-Length nor "
                "Transfer-Encoding.");
    return false;
}

bool guard_admits_connect(const struct guard_view *v, const struct head *request,
                          const struct target *target, struct failure *why)
{
    struct slice value = head_value(request, FIELD_HOST);
    struct authority host;

    if (!check_page(v, request, target, why) || !check_forwarded(v, request, why) ||
        !check_token(v, request, target, why))
        return false;
    if (value.p != NULL && !authority_parse(value, &host)) {
        failure_set(why, FAIL_REQUEST_HOST, "The Host field is not of the form host[:port].");
        return false;
    }
    return check_no_body(request, why);
}
