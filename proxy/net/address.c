#include "net/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/slice.h"

static struct sockaddr_in *v4(struct address *a)
{
    return (struct sockaddr_in *)&a->storage;
}

static struct sockaddr_in6 *v6(struct address *a)
{
    return (struct sockaddr_in6 *)&a->storage;
}

static enum status parse_unix(const char *path, struct address *out, struct diag *why)
{
    if (path[0] != '/' || strlen(path) >= sizeof(out->local.sun_path)) {
        diag_set(why,
                 "`unix:%s` is not a socket path; give an absolute path of at most %zu characters",
                 path, sizeof(out->local.sun_path) - 1);
        return ST_BAD_INPUT;
    }
    out->local.sun_family = AF_UNIX;
    memcpy(out->local.sun_path, path, strlen(path) + 1);
    out->length = sizeof(out->local);
    return ST_OK;
}

static bool parse_host(struct slice host, bool bracketed, struct address *out)
{
    char text[INET6_ADDRSTRLEN];

    if (host.n >= sizeof(text))
        return false;
    memcpy(text, host.p, host.n);
    text[host.n] = '\0';
    if (bracketed && inet_pton(AF_INET6, text, &v6(out)->sin6_addr) == 1) {
        out->any.sa_family = AF_INET6;
        out->length = sizeof(struct sockaddr_in6);
        return true;
    }
    if (!bracketed && inet_pton(AF_INET, text, &v4(out)->sin_addr) == 1) {
        out->any.sa_family = AF_INET;
        out->length = sizeof(struct sockaddr_in);
        return true;
    }
    return false;
}

/* Splits HOST:PORT. Checks the port, but not the host. */
static enum status split(const char *text, struct slice *host, int *port, struct diag *why)
{
    const char *colon = strrchr(text, ':');
    uint64_t number;

    if (colon == NULL || !slice_to_u64(slice_of(colon + 1), 65535, &number)) {
        diag_set(why,
                 "`%s` has no port from 0 to 65535; write it as 127.0.0.1:8080, [::1]:8080, "
                 "localhost:8080 or unix:/path",
                 text);
        return ST_BAD_INPUT;
    }
    *host = (struct slice){text, (size_t)(colon - text)};
    *port = (int)number;
    return ST_OK;
}

enum status address_parse(const char *text, struct address *out, struct diag *why)
{
    struct slice host;
    int port;

    memset(out, 0, sizeof(*out));
    if (strncmp(text, "unix:", 5) == 0)
        return parse_unix(text + 5, out, why);
    enum status st = split(text, &host, &port, why);
    if (st != ST_OK)
        return st;
    bool bracketed = host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
    if (bracketed)
        host = (struct slice){host.p + 1, host.n - 2};
    if (!parse_host(host, bracketed, out)) {
        diag_set(why,
                 "`%s` is not an address to listen on; write it as 127.0.0.1:8080, [::1]:8080, "
                 "localhost:8080 or unix:/path",
                 text);
        return ST_BAD_INPUT;
    }
    address_set_port(out, port);
    return ST_OK;
}

enum status address_parse_listen(const char *text, struct address out[ADDRESS_FAMILIES],
                                 size_t *count, struct diag *why)
{
    static const char *const loopback[ADDRESS_FAMILIES] = {"127.0.0.1:0", "[::1]:0"};
    enum status st = ST_OK;
    struct slice host;
    struct diag other;
    int port;

    *count = 1;
    if (split(text, &host, &port, &other) != ST_OK || !slice_eq_nocase(host, SLICE("localhost")))
        return address_parse(text, &out[0], why);
    *count = ADDRESS_FAMILIES;
    for (size_t i = 0; st == ST_OK && i < ADDRESS_FAMILIES; i++) {
        st = address_parse(loopback[i], &out[i], why);
        address_set_port(&out[i], port);
    }
    return st;
}

bool address_is_shortage(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM ||
           error == EADDRNOTAVAIL;
}

void address_text(const struct address *a, char out[ADDRESS_TEXT_SIZE])
{
    char host[INET6_ADDRSTRLEN] = "?";

    switch (a->any.sa_family) {
    case AF_UNIX:
        (void)snprintf(out, ADDRESS_TEXT_SIZE, "unix:%s", a->local.sun_path);
        break;
    case AF_INET6: {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&a->storage;
        (void)inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
        (void)snprintf(out, ADDRESS_TEXT_SIZE, "[%s]:%d", host, ntohs(in6->sin6_port));
        break;
    }
    default: {
        const struct sockaddr_in *in = (const struct sockaddr_in *)&a->storage;
        (void)inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
        (void)snprintf(out, ADDRESS_TEXT_SIZE, "%s:%d", host, ntohs(in->sin_port));
    }
    }
}

bool address_is_loopback(const struct address *a)
{
    if (a->any.sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)&a->storage)->sin6_addr);
    if (a->any.sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)&a->storage)->sin_addr.s_addr) >> 24 == 127;
    return a->any.sa_family == AF_UNIX;
}

bool address_is_same_host(const struct address *a, const struct address *b)
{
    const struct sockaddr_in *a4 = (const struct sockaddr_in *)&a->storage;
    const struct sockaddr_in *b4 = (const struct sockaddr_in *)&b->storage;
    const struct sockaddr_in6 *a6 = (const struct sockaddr_in6 *)&a->storage;
    const struct sockaddr_in6 *b6 = (const struct sockaddr_in6 *)&b->storage;

    if (a->any.sa_family != b->any.sa_family)
        return false;
    if (a->any.sa_family == AF_INET6)
        return IN6_ARE_ADDR_EQUAL(&a6->sin6_addr, &b6->sin6_addr);
    return a->any.sa_family == AF_INET && a4->sin_addr.s_addr == b4->sin_addr.s_addr;
}

void address_unmap(struct address *a)
{
    struct sockaddr_in6 in6;

    if (a->any.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&v6(a)->sin6_addr))
        return;
    in6 = *v6(a);
    memset(a, 0, sizeof(*a));
    a->length = sizeof(struct sockaddr_in);
    v4(a)->sin_family = AF_INET;
    v4(a)->sin_port = in6.sin6_port;
    memcpy(&v4(a)->sin_addr, &in6.sin6_addr.s6_addr[12], 4);
}

static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff}; /* ::ffff:0:0/96 */

/* As an IPv6 address; IPv4 becomes ::ffff:0:0/96. */
static void widen(const struct address *a, unsigned char out[16])
{
    if (a->any.sa_family == AF_INET6) {
        memcpy(out, &((const struct sockaddr_in6 *)&a->storage)->sin6_addr, 16);
        return;
    }
    memcpy(out, mapped, sizeof(mapped));
    memcpy(out + 12, &((const struct sockaddr_in *)&a->storage)->sin_addr, 4);
}

bool address_is_wildcard(const struct address *a)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)&a->storage;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&a->storage;

    if (a->any.sa_family == AF_INET6)
        return IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr);
    return a->any.sa_family == AF_INET && in->sin_addr.s_addr == htonl(INADDR_ANY);
}

bool address_of_socket(int fd, struct address *out)
{
    memset(out, 0, sizeof(*out));
    out->length = sizeof(out->storage);
    return getsockname(fd, &out->any, &out->length) == 0 &&
           (out->any.sa_family == AF_INET || out->any.sa_family == AF_INET6);
}

bool address_is_host(const struct address *a, struct slice host, bool ipv6)
{
    struct address said = {0};
    unsigned char x[16], y[16];

    if (a->any.sa_family == AF_UNIX || !parse_host(host, ipv6, &said))
        return false;
    widen(a, x);
    widen(&said, y);
    return memcmp(x, y, sizeof(x)) == 0;
}

static bool is_within(const unsigned char address[16], const char *prefix, int bits)
{
    unsigned char wanted[16];
    int whole = bits / 8, rest = 8 - bits % 8;

    (void)inet_pton(AF_INET6, prefix, wanted);
    return memcmp(address, wanted, (size_t)whole) == 0 &&
           (rest == 8 || address[whole] >> rest == wanted[whole] >> rest);
}

bool address_is_private(const struct address *a)
{
    static const struct {
        const char *prefix;
        int bits;
    } table[] = {
        {"::ffff:0.0.0.0", 104},
        {"::ffff:10.0.0.0", 104},
        {"::ffff:100.64.0.0", 106},
        {"::ffff:127.0.0.0", 104},
        {"::ffff:169.254.0.0", 112},
        {"::ffff:172.16.0.0", 108},
        {"::ffff:192.168.0.0", 112},
        {"::ffff:198.18.0.0", 111}, /* RFC 2544: benchmarks */
        {"::ffff:224.0.0.0", 99},   /* multicast and reserved */
        {"64:ff9b:1::", 48},        /* RFC 8215: local NAT64 */
        {"::", 96},
        {"fc00::", 7},
        {"fe80::", 10},
        {"fec0::", 10},
        {"ff00::", 8},
    };
    unsigned char address[16];

    widen(a, address);
    if (is_within(address, "64:ff9b::", 96)) /* RFC 6052: NAT64 */
        memcpy(address, mapped, sizeof(mapped));
    for (size_t i = 0; i < ARRAY_LEN(table); i++)
        if (is_within(address, table[i].prefix, table[i].bits))
            return true;
    return false;
}

bool address_is_unix(const struct address *a)
{
    return a->any.sa_family == AF_UNIX;
}

void address_set_port(struct address *a, int port)
{
    if (a->any.sa_family == AF_INET6)
        v6(a)->sin6_port = htons((uint16_t)port);
    else if (a->any.sa_family == AF_INET)
        v4(a)->sin_port = htons((uint16_t)port);
}

int address_port(const struct address *a)
{
    if (a->any.sa_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)(const void *)&a->storage)->sin6_port);
    if (a->any.sa_family == AF_INET)
        return ntohs(((const struct sockaddr_in *)(const void *)&a->storage)->sin_port);
    return 0;
}

bool address_is_available(const struct address *a)
{
    struct address any_port = *a;
    int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address_set_port(&any_port, 0);
    bool bound = fd >= 0 && bind(fd, &any_port.any, any_port.length) == 0;
    bool available = bound || (errno != EADDRNOTAVAIL && errno != EAFNOSUPPORT);
    if (fd >= 0)
        (void)close(fd);
    return available;
}
