#include "http/target.h"

#include <arpa/inet.h>

#include "base/fail.h"
#include "http/chars.h"

enum { MAX_HOST = 255 }; /* bytes (RFC 1035, 2.3.4) */

static bool read_address(int family, struct slice s, char out[sizeof(struct in6_addr)])
{
    char text[INET6_ADDRSTRLEN];

    if (s.n == 0 || s.n >= sizeof(text))
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    return inet_pton(family, text, out) == 1;
}

static bool is_address(int family, struct slice s)
{
    char address[sizeof(struct in6_addr)];

    return read_address(family, s, address);
}

bool authority_is_address(struct slice host)
{
    return is_address(AF_INET, host) || is_address(AF_INET6, host);
}

static bool parse_port(struct slice s, int *port)
{
    uint64_t value;

    if (s.n > 5 || !slice_to_u64(s, 65535, &value) || value == 0)
        return false;
    *port = (int)value;
    return true;
}

/* Letters, digits, '-', '_' and single dots; one dot at the end is allowed. */
static bool is_host_name(struct slice s)
{
    if (s.n == 0 || s.n > MAX_HOST || s.p[0] == '.' || !chars_are(s, CHAR_HOST))
        return false;
    for (size_t i = 1; i < s.n; i++)
        if (s.p[i] == '.' && s.p[i - 1] == '.')
            return false;
    return true;
}

bool authority_parse(struct slice s, struct authority *out)
{
    *out = (struct authority){0};
    if (s.n > 0 && s.p[0] == '[') {
        const char *close = memchr(s.p, ']', s.n);
        if (close == NULL)
            return false;
        out->host = (struct slice){s.p + 1, (size_t)(close - s.p - 1)};
        out->ipv6 = true;
        s = (struct slice){close + 1, s.n - out->host.n - 2};
        if (!is_address(AF_INET6, out->host))
            return false;
        return s.n == 0 ||
               (s.p[0] == ':' && parse_port((struct slice){s.p + 1, s.n - 1}, &out->port));
    }
    bool has_port = s.n > 0 && memchr(s.p, ':', s.n) != NULL;
    out->host = slice_split(&s, ':');
    return is_host_name(out->host) && (!has_port || parse_port(s, &out->port));
}

struct slice authority_without_dot(struct slice s)
{
    if (s.n > 1 && s.p[s.n - 1] == '.')
        s.n--;
    return s;
}

bool authority_host_eq(struct slice a, struct slice b)
{
    return slice_eq_nocase(authority_without_dot(a), authority_without_dot(b));
}

bool authority_address_eq(struct slice a, struct slice b)
{
    char x[sizeof(struct in6_addr)], y[sizeof(struct in6_addr)];

    return read_address(AF_INET6, a, x) && read_address(AF_INET6, b, y) &&
           memcmp(x, y, sizeof(x)) == 0;
}

bool authority_is_loopback(const struct authority *a)
{
    struct slice host = authority_without_dot(a->host);

    if (a->ipv6) {
        char text[INET6_ADDRSTRLEN];
        struct in6_addr address;
        memcpy(text, host.p, host.n);
        text[host.n] = '\0';
        return inet_pton(AF_INET6, text, &address) == 1 && IN6_IS_ADDR_LOOPBACK(&address);
    }
    if (host.n > 4 && memcmp(host.p, "127.", 4) == 0)
        return slice_eq(host, SLICE("127.0.0.1")) || is_address(AF_INET, host);
    return slice_eq_nocase(host, SLICE("localhost")) ||
           slice_ends_nocase(host, SLICE(".localhost"));
}

void authority_write(struct buf *out, const struct authority *a, int default_port)
{
    if (a->ipv6)
        buf_add_string(out, "[");
    buf_add_slice(out, a->host);
    if (a->ipv6)
        buf_add_string(out, "]");
    if (a->port != 0 && a->port != default_port) {
        buf_add_string(out, ":");
        buf_add_u64(out, (uint64_t)a->port);
    }
}

static bool has_prefix_nocase(struct slice s, struct slice prefix)
{
    return s.n >= prefix.n && slice_eq_nocase((struct slice){s.p, prefix.n}, prefix);
}

static bool parse_absolute(struct slice s, struct target *out)
{
    struct slice http = SLICE("http://"), https = SLICE("https://");
    size_t i = 0;

    out->form = TARGET_ABSOLUTE;
    out->https = has_prefix_nocase(s, https);
    if (!out->https && !has_prefix_nocase(s, http))
        return false;
    size_t skip = out->https ? https.n : http.n;
    s = (struct slice){s.p + skip, s.n - skip};
    while (i < s.n && s.p[i] != '/' && s.p[i] != '?')
        i++;
    out->path = (struct slice){s.p + i, s.n - i};
    return authority_parse((struct slice){s.p, i}, &out->authority);
}

static bool parse_form(const struct head *h, struct target *out)
{
    if (h->method == METHOD_CONNECT) {
        out->form = TARGET_AUTHORITY;
        return authority_parse(h->target, &out->authority) && out->authority.port != 0;
    }
    if (h->target.p[0] == '/') {
        out->form = TARGET_ORIGIN;
        out->path = h->target;
        return true;
    }
    if (slice_eq(h->target, SLICE("*"))) {
        out->form = TARGET_ASTERISK;
        out->path = h->target;
        return h->method == METHOD_OPTIONS;
    }
    return parse_absolute(h->target, out);
}

bool target_parse(const struct head *request, struct target *out, struct failure *why)
{
    *out = (struct target){0};
    if (parse_form(request, out))
        return true;
    failure_set(why, FAIL_REQUEST_TARGET,
                "The request target is neither a path, an http or https URL, nor what its method "
                "asks for.");
    return false;
}

static void write_encoded(struct buf *out, struct slice s)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (char_is(s.p[i], CHAR_ENCODE))
            buf_add(out, (char[]){'%', hex[c >> 4], hex[c & 15]}, 3);
        else
            buf_add(out, &s.p[i], 1);
    }
}

void target_write_path(struct buf *out, const struct head *request, const struct target *t)
{
    if (t->path.n == 0 && request->method == METHOD_OPTIONS) {
        buf_add_string(out, "*"); /* the asterisk-form (RFC 9112, 3.2.4) */
        return;
    }
    if (t->path.n == 0 || t->path.p[0] == '?')
        buf_add_string(out, "/");
    if (request->target_needs_encoding)
        write_encoded(out, t->path);
    else
        buf_add_slice(out, t->path);
}
