/*
 * address: socket addresses in their usual notation: HOST:PORT, [V6]:PORT,
 * unix:/path.
 */
#ifndef NET_ADDRESS_H
#define NET_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/un.h>

#include "base/diag.h"
#include "base/slice.h"

struct address {
    socklen_t length;
    union {
        struct sockaddr any;
        struct sockaddr_storage storage;
        struct sockaddr_un local;
    };
};

/* The access to a Unix socket, and whether low ports can still be used. */
struct address_access {
    mode_t mode;
    bool has_group;
    gid_t group;
    /* The right to listen on ports below 1024 was given up after the start. */
    bool low_ports_given_up;
};

/* Reads an IP address with a port (0: any), or unix:/path. Names are not looked up. */
enum status address_parse(const char *text, struct address *out, struct diag *why) MUST_CHECK;

enum { ADDRESS_FAMILIES = 2 };

/* Reads the address of a listener. It may also be localhost:PORT, which means both loopback
 * addresses, IPv4 first. *count: the number of addresses in out. */
enum status address_parse_listen(const char *text, struct address out[ADDRESS_FAMILIES],
                                 size_t *count, struct diag *why) MUST_CHECK;

/* Does the errno mean that this machine lacks descriptors, ports or memory? */
bool address_is_shortage(int error);

enum { ADDRESS_TEXT_SIZE = 128 };
void address_text(const struct address *a, char out[ADDRESS_TEXT_SIZE]);

bool address_is_loopback(const struct address *a); /* also true for Unix sockets */

/* Are the IP addresses the same? Ports are ignored. */
bool address_is_same_host(const struct address *a, const struct address *b);

/* Makes an IPv4-mapped IPv6 address (::ffff:127.0.0.1) an IPv4 address. */
void address_unmap(struct address *a);
/* The local address of a connection. False for Unix sockets. */
bool address_of_socket(int fd, struct address *out);

/* Is host exactly that IP address? ipv6: host is an IPv6 address without its brackets. */
bool address_is_host(const struct address *a, struct slice host, bool ipv6);

/* Is it an address of this machine, of a directly connected network or of a private network? IPv4
 * inside IPv6 counts too. Unix sockets have no such address. */
bool address_is_private(const struct address *a);
bool address_is_unix(const struct address *a);
void address_set_port(struct address *a, int port);
int address_port(const struct address *a); /* 0 for Unix sockets */

/* Is it 0.0.0.0 or [::]? A listener there gets connections to any address of this machine. */
bool address_is_wildcard(const struct address *a);

/* Has this machine that IP address? The port does not matter. Also true if the system cannot tell,
 * for example without a free descriptor. */
bool address_is_available(const struct address *a);

#endif
