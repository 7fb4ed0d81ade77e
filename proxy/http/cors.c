#include "http/cors.h"

#include <arpa/inet.h>
#include <stdlib.h>

#include "base/mem.h"
#include "http/chars.h"
#include "http/reply.h"
#include "http/target.h"

enum { MAX_AGE_S = 10 * 60 }; /* for so long a browser does not ask again */

/* The value of the first Access-Control-* field of that name; p NULL: there is none. */
static struct slice find(const struct head *h, struct slice name)
{
    const struct field *f = head_has(h, FIELD_CORS) ? head_next_named(h, name, &(size_t){0}) : NULL;

    return f == NULL ? (struct slice){NULL, 0} : f->value;
}

bool cors_is_preflight(const struct head *request)
{
    return request->method == METHOD_OPTIONS &&
           find(request, SLICE("access-control-request-method")).p != NULL;
}

void cors_add_fields(struct buf *out, const char *origin)
{
    buf_addf(out,
             "Access-Control-Allow-Origin: %s\r\nAccess-Control-Expose-Headers: *\r\n" CORS_VARY,
             origin);
}

/* Is it a list of field names (RFC 9110, 5.6.1)? */
static bool is_list_of_names(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!char_is(s.p[i], CHAR_TOKEN) && s.p[i] != ',' && s.p[i] != ' ' && s.p[i] != '\t')
            return false;
    return s.n > 0;
}

/* Does not allow credentials, because the server must not get the cookies that the browser has for
 * this page. */
void cors_write_preflight(struct buf *out, const struct head *request, const char *fields,
                          enum persistence persistence, int64_t wall_us)
{
    struct slice names = find(request, SLICE("access-control-request-headers"));
    struct slice network = find(request, SLICE("access-control-request-private-network"));
    struct buf all = {0};

    buf_add_string(&all, fields);
    buf_add_string(&all, "Access-Control-Allow-Methods: " REPLY_METHODS "\r\n");
    if (is_list_of_names(names))
        buf_addf(&all, "Access-Control-Allow-Headers: %.*s\r\n", (int)names.n, names.p);
    if (slice_eq(network, SLICE("true")))
        buf_add_string(&all, "Access-Control-Allow-Private-Network: true\r\n");
    buf_addf(&all, "Access-Control-Max-Age: %d\r\n", MAX_AGE_S);
    buf_add(&all, "", 1); /* reply_write() expects a string */
    reply_write(out, &(struct reply){.status = 204, .persistence = persistence, .fields = all.p},
                wall_us);
    buf_free(&all);
}

/* Is it a scheme (RFC 3986, 3.1)? */
static bool is_scheme(struct slice s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = ascii_lower(s.p[i]);
        bool letter = c >= 'a' && c <= 'z';
        bool later = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
        if (!letter && (i == 0 || !later))
            return false;
    }
    return s.n > 0;
}

static int port_of(struct slice scheme)
{
    if (slice_eq_nocase(scheme, SLICE("https")))
        return authority_default_port(true);
    return slice_eq_nocase(scheme, SLICE("http")) ? authority_default_port(false) : 0;
}

bool cors_parse_origin(struct slice text, char **out)
{
    struct slice rest = text, scheme = slice_split(&rest, ':');
    char v6[INET6_ADDRSTRLEN];
    struct in6_addr address;
    struct authority a;
    struct buf made = {0};

    if (!is_scheme(scheme) || rest.n < 3 || rest.p[0] != '/' || rest.p[1] != '/' ||
        !authority_parse((struct slice){rest.p + 2, rest.n - 2}, &a))
        return false;
    if (a.ipv6) { /* in the shortest form (RFC 5952) */
        memcpy(v6, a.host.p, a.host.n);
        v6[a.host.n] = '\0';
        (void)inet_pton(AF_INET6, v6, &address);
        (void)inet_ntop(AF_INET6, &address, v6, sizeof(v6));
        a.host = slice_of(v6);
    }
    buf_add_slice(&made, scheme);
    buf_add_string(&made, "://");
    authority_write(&made, &a, port_of(scheme));
    for (size_t i = 0; i < made.n; i++)
        made.p[i] = ascii_lower(made.p[i]);
    *out = mem_copy_bytes(made.p, made.n);
    buf_free(&made);
    return true;
}
