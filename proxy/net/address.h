/*
 * address: socket addresses as people write them: HOST:PORT, [V6]:PORT,
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

/* Who may connect to a Unix socket, and what this process may listen on. */
struct address_access {
    mode_t mode;
    bool has_group;
    gid_t group;
    bool low_ports_given_up; /* ports below 1024 were permitted until the process had started */
};

/* An IP address and a port, 0 for any; or unix:/path. No name is looked up. */
enum status address_parse(const char *text, struct address *out, struct diag *why) MUST_CHECK;

enum { ADDRESS_FAMILIES = 2 };

/* The same for a listener, which may also be localhost:PORT: that is both loopback addresses,
 * IPv4 first. *count: how many there are now in out. */
enum status address_parse_listen(const char *text, struct address out[ADDRESS_FAMILIES],
                                 size_t *count, struct diag *why) MUST_CHECK;

/* An errno that speaks of this machine, which is out of descriptors, ports or memory. */
bool address_is_shortage(int error);

enum { ADDRESS_TEXT_SIZE = 128 };
void address_text(const struct address *a, char out[ADDRESS_TEXT_SIZE]);

bool address_is_loopback(const struct address *a); /* Unix sockets are */

/* The same IP address, whatever the ports. */
bool address_is_same_host(const struct address *a, const struct address *b);

/* IPv4 in IPv6 (::ffff:127.0.0.1) becomes IPv4. */
void address_unmap(struct address *a);
/* The address that this end of a connection has; false for Unix sockets. */
bool address_of_socket(int fd, struct address *out);

/* Is host (ipv6: one without its brackets) the very same IP address? */
bool address_is_host(const struct address *a, struct slice host, bool ipv6);

/* Does it lead to this machine, its links or a private network, also as IPv4 in IPv6? Not for Unix
 * sockets. */
bool address_is_private(const struct address *a);
bool address_is_unix(const struct address *a);
void address_set_port(struct address *a, int port);
int address_port(const struct address *a); /* 0: a Unix socket has none */

/* 0.0.0.0 or [::]: connections to a listener there come in at any address of this machine. */
bool address_is_wildcard(const struct address *a);

/* Has this machine that address at all? Says nothing of the port; true if the system does not tell,
 * as without a free descriptor. */
bool address_is_available(const struct address *a);

#endif
