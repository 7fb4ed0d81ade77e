#include "net/inherit.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

enum { FIRST = 3, INHERITED_MAX = 64 };

/* Global, because the process has only one environment and one set of descriptors. */
static struct {
    struct address at;
    int fd;
    bool used;
} table[INHERITED_MAX];
static size_t count;

static bool number_of(const char *variable, uint64_t max, uint64_t *out)
{
    return slice_to_u64(slice_of(getenv(variable)), max, out);
}

static bool is_set(int fd, int level, int option, bool if_unknown)
{
    int value = 0;
    socklen_t length = sizeof(value);

    return getsockopt(fd, level, option, &value, &length) == 0 ? value != 0 : if_unknown;
}

/* The address where fd listens. False: fd does not listen. */
static bool find_address(int fd, struct address *out)
{
    memset(out, 0, sizeof(*out));
    out->length = sizeof(out->storage);
    if (getsockname(fd, &out->any, &out->length) != 0 ||
        !is_set(fd, SOL_SOCKET, SO_ACCEPTCONN, false))
        return false;
    return out->any.sa_family == AF_INET || out->any.sa_family == AF_INET6 ||
           (out->any.sa_family == AF_UNIX && out->local.sun_path[0] == '/');
}

static enum status take(int fd, struct diag *why)
{
    struct address at;
    char text[ADDRESS_TEXT_SIZE];

    if (!find_address(fd, &at)) {
        diag_set(why,
                 "descriptor %d of LISTEN_FDS is not a listening stream socket; name an address or "
                 "a path in ListenStream= of the socket unit",
                 fd);
        return ST_BAD_INPUT;
    }
    address_text(&at, text);
    if (at.any.sa_family == AF_INET6 && address_is_wildcard(&at) &&
        !is_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, true)) {
        diag_set(why,
                 "the socket at %s of LISTEN_FDS also takes IPv4; write BindIPv6Only=ipv6-only "
                 "in the socket unit",
                 text);
        return ST_BAD_INPUT;
    }
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    table[count].at = at;
    table[count].fd = fd;
    table[count++].used = false;
    return ST_OK;
}

enum status inherit_take(struct diag *why)
{
    enum status st = ST_OK;
    uint64_t pid, n = 0;

    if (getenv("LISTEN_FDS") == NULL || !number_of("LISTEN_PID", UINT32_MAX, &pid) ||
        pid != (uint64_t)getpid())
        return ST_OK; /* the descriptors are for another process */
    if (!number_of("LISTEN_FDS", INHERITED_MAX, &n)) {
        diag_set(why, "LISTEN_FDS=%s is not a number up to %d; let systemd set it",
                 getenv("LISTEN_FDS"), INHERITED_MAX);
        return ST_BAD_INPUT;
    }
    for (int fd = FIRST; st == ST_OK && fd < FIRST + (int)n; fd++)
        st = take(fd, why);
    (void)unsetenv("LISTEN_PID");
    (void)unsetenv("LISTEN_FDS");
    (void)unsetenv("LISTEN_FDNAMES");
    return st;
}

int inherit_find(const struct address *at)
{
    char wanted[ADDRESS_TEXT_SIZE], text[ADDRESS_TEXT_SIZE];

    address_text(at, wanted);
    for (size_t i = 0; i < count; i++) {
        address_text(&table[i].at, text);
        if (strcmp(text, wanted) != 0)
            continue;
        table[i].used = true;
        return table[i].fd;
    }
    return -1;
}

enum status inherit_check(struct diag *why)
{
    char text[ADDRESS_TEXT_SIZE];

    for (size_t i = 0; i < count; i++) {
        if (table[i].used)
            continue;
        address_text(&table[i].at, text);
        diag_set(
            why,
            "the socket at %s of LISTEN_FDS is not in the configuration; write listen = %s, or "
            "take it out of the socket unit",
            text, text);
        return ST_BAD_INPUT;
    }
    return ST_OK;
}
