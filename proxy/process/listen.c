#include "process/listen.h"

#include <stdio.h>

enum { OTHER_PORTS = 64 }; /* attempts to find a port that both families can use */

/* How to open listeners. */
struct opening {
    const struct address_access *access;
    bool just_try;
};

static enum status open_one(const struct listen_address *l, int port, const struct opening *how,
                            struct acceptor **out, bool *opened, struct diag *why)
{
    struct address at = l->address;

    if (*out != NULL)
        return ST_OK;
    address_set_port(&at, port);
    if (l->of_localhost && !address_is_available(&at))
        return ST_OK;
    enum status st = how->just_try ? acceptor_try(&at, how->access, why)
                                   : acceptor_open(&at, how->access, out, why);
    *opened = st == ST_OK && !how->just_try;
    if (st != ST_OK && l->where != NULL)
        diag_place(why, l->where);
    return st;
}

void listen_close(struct acceptor **acceptors, bool *opened, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!opened[i])
            continue;
        acceptor_close(acceptors[i]);
        acceptors[i] = NULL;
        opened[i] = false;
    }
}

static int port_of(const struct listen_address *l, const struct acceptor *a)
{
    return address_port(a == NULL ? &l->address : acceptor_address(a));
}

/* With port 0 the first family gets a port that may be taken in the other family. Then another
 * port is tried. Meanwhile the first one stays open, because otherwise the system could choose
 * it again. */
static enum status open_localhost(const struct listen_address *l, const struct opening *how,
                                  struct acceptor **out, bool *opened, int other_ports,
                                  struct diag *why)
{
    struct acceptor *before = out[0] != NULL ? out[0] : out[1];
    struct acceptor *held;
    enum status st = open_one(&l[0], port_of(l, before), how, &out[0], &opened[0], why);

    if (st == ST_OK)
        st = open_one(&l[1], port_of(l, out[0]), how, &out[1], &opened[1], why);
    if (st == ST_OK || !opened[0] || address_port(&l->address) != 0 || other_ports == 0)
        return st;
    held = out[0];
    out[0] = NULL;
    opened[0] = false;
    st = open_localhost(l, how, out, opened, other_ports - 1, why);
    acceptor_close(held);
    return st;
}

void listen_name(const struct listen_address *l, char out[ADDRESS_TEXT_SIZE])
{
    char address[ADDRESS_TEXT_SIZE];
    bool picks = l->of_localhost && address_port(&l->address) == 0;

    address_text(&l->address, address);
    (void)snprintf(out, ADDRESS_TEXT_SIZE, "%s%s", picks ? "localhost " : "", address);
}

static enum status check_loopback(const struct listen_address *l, struct diag *why)
{
    if (address_is_available(&l[0].address) || address_is_available(&l[1].address))
        return ST_OK;
    diag_set(why,
             "%s%slocalhost:%d cannot be listened on: this machine has neither of the loopback "
             "addresses 127.0.0.1 and ::1; bring the network interface lo up",
             l->where == NULL ? "" : l->where, l->where == NULL ? "" : ": ",
             address_port(&l->address));
    return ST_SYSTEM;
}

enum status listen_open(const struct listen_address *list, size_t n,
                        const struct address_access *access, bool just_try,
                        struct acceptor **acceptors, bool *opened, struct diag *why)
{
    const struct opening how = {access, just_try};
    enum status st = ST_OK;

    for (size_t i = 0; st == ST_OK && i < n; i++) {
        if (!list[i].of_localhost) {
            st = open_one(&list[i], address_port(&list[i].address), &how, &acceptors[i], &opened[i],
                          why);
            continue;
        }
        st = open_localhost(&list[i], &how, &acceptors[i], &opened[i], OTHER_PORTS, why);
        if (st == ST_OK)
            st = check_loopback(&list[i], why);
        i++;
    }
    if (st != ST_OK)
        listen_close(acceptors, opened, n);
    return st;
}
