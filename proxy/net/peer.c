#include "net/peer.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>

#include "base/mem.h"

struct peer_asker {
    int fd; /* -1: there is none */
    uint32_t sequence;
    bool works;
};

/* The states in which a process holds the socket; it may have sent its last byte. */
enum {
    HELD = 1 << TCP_ESTABLISHED | 1 << TCP_FIN_WAIT1 | 1 << TCP_FIN_WAIT2 | 1 << TCP_CLOSE_WAIT
};

enum answer { ANSWER_UID, ANSWER_NOBODY, ANSWER_NO_SOCKET, ANSWER_NONE };

struct request {
    struct nlmsghdr head;
    struct inet_diag_req_v2 body;
};

static void put_address(const struct address *a, __be32 ip[4], __be16 *port)
{
    if (a->any.sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&a->storage;
        memcpy(ip, &in6->sin6_addr, 16);
        *port = in6->sin6_port;
    } else {
        const struct sockaddr_in *in = (const struct sockaddr_in *)&a->storage;
        ip[0] = in->sin_addr.s_addr;
        *port = in->sin_port;
    }
}

/* Within a machine packets go by lo, which is the first of every network name space. A socket that
 * is bound to a device, and anybody may do that, is found by its name only; one that is not, by
 * any.
 */
static uint32_t interface_of(const struct address *a)
{
    uint32_t scope = a->any.sa_family == AF_INET6
                         ? ((const struct sockaddr_in6 *)&a->storage)->sin6_scope_id
                         : 0;

    return scope != 0 ? scope : 1;
}

static bool send_request(struct peer_asker *p, const struct address *theirs,
                         const struct address *ours)
{
    struct request r = {
        .head = {.nlmsg_len = sizeof(r),
                 .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                 .nlmsg_flags = NLM_F_REQUEST,
                 .nlmsg_seq = ++p->sequence},
        .body = {.sdiag_family = (uint8_t)theirs->any.sa_family,
                 .sdiag_protocol = IPPROTO_TCP,
                 .idiag_states = ~0U,
                 .id.idiag_if = interface_of(theirs),
                 .id.idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}},
    };

    put_address(theirs, r.body.id.idiag_src, &r.body.id.idiag_sport);
    put_address(ours, r.body.id.idiag_dst, &r.body.id.idiag_dport);
    return send(p->fd, &r, sizeof(r), MSG_DONTWAIT) == (ssize_t)sizeof(r);
}

static enum answer read_error(const struct nlmsghdr *head, size_t n)
{
    const struct nlmsgerr *e = (const void *)((const char *)head + NLMSG_HDRLEN);

    if (n < NLMSG_LENGTH(sizeof(e->error)))
        return ANSWER_NONE;
    return e->error == -ENOENT ? ANSWER_NO_SOCKET : ANSWER_NONE;
}

/* The kernel answers while it is sent the question, so the answer is there, and no other. */
static enum answer ask(struct peer_asker *p, const struct address *theirs,
                       const struct address *ours, struct inet_diag_msg *out)
{
    union {
        struct nlmsghdr head;
        char bytes[1024];
    } answer;
    ssize_t n;

    if (p->fd < 0 || !send_request(p, theirs, ours))
        return ANSWER_NONE;
    do
        n = recv(p->fd, &answer, sizeof(answer), MSG_DONTWAIT);
    while (n >= (ssize_t)sizeof(answer.head) && answer.head.nlmsg_seq != p->sequence);
    if (n < (ssize_t)sizeof(answer.head))
        return ANSWER_NONE;
    if (answer.head.nlmsg_type == NLMSG_ERROR)
        return read_error(&answer.head, (size_t)n);
    if (answer.head.nlmsg_type != SOCK_DIAG_BY_FAMILY || (size_t)n < NLMSG_LENGTH(sizeof(*out)))
        return ANSWER_NONE;
    memcpy(out, NLMSG_DATA(&answer.head), sizeof(*out));
    return out->idiag_inode != 0 ? ANSWER_UID : ANSWER_NOBODY;
}

/* Without an established socket the kernel looks for one that listens there: not the caller's. */
static enum answer ask_caller(struct peer_asker *p, const struct address *theirs,
                              const struct address *ours, uid_t *uid)
{
    struct inet_diag_msg m;
    enum answer a = ask(p, theirs, ours, &m);
    __be32 ip[4];
    __be16 their_port, our_port;

    if (a != ANSWER_UID && a != ANSWER_NOBODY)
        return a;
    put_address(theirs, ip, &their_port);
    put_address(ours, ip, &our_port);
    if (m.id.idiag_sport != their_port || m.id.idiag_dport != our_port)
        return ANSWER_NO_SOCKET;
    if ((1 << m.idiag_state & HELD) == 0)
        return ANSWER_NOBODY;
    *uid = m.idiag_uid;
    return a;
}

/* ---- the asker ---- */

/* A kernel without the means says ENOENT, too: so it is asked for a socket that is there. */
static bool works_for(struct peer_asker *p, const char *any_port)
{
    struct address at, nowhere;
    struct inet_diag_msg m;
    struct diag why;
    bool works = false;

    if (address_parse(any_port, &at, &why) != ST_OK)
        return false;
    nowhere = at;
    int fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, &at.any, at.length) == 0 && listen(fd, 1) == 0 &&
        getsockname(fd, &at.any, &at.length) == 0)
        works = ask(p, &at, &nowhere, &m) == ANSWER_UID;
    if (fd >= 0)
        (void)close(fd);
    return works;
}

struct peer_asker *peer_asker_new(void)
{
    struct peer_asker *p = NEW(struct peer_asker);
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

    p->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    /* connected, it hears of the kernel only */
    if (p->fd >= 0 && connect(p->fd, (struct sockaddr *)&kernel, sizeof(kernel)) == 0)
        p->works = works_for(p, "127.0.0.1:0") || works_for(p, "[::1]:0");
    return p;
}

void peer_asker_free(struct peer_asker *p)
{
    if (p == NULL)
        return;
    if (p->fd >= 0)
        (void)close(p->fd);
    free(p);
}

bool peer_asker_works(const struct peer_asker *p)
{
    return p->works;
}

/* ---- connections ---- */

static void ask_unix(int fd, struct peer *out)
{
    struct ucred credentials;
    socklen_t n = sizeof(credentials);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &n) != 0)
        return;
    out->kind = PEER_TOLD;
    out->uid = credentials.uid;
}

/* A caller that came in on another address of this machine is found by the kernel all the same. */
static bool is_within_machine(const struct address *theirs, const struct address *ours)
{
    return address_is_loopback(theirs) || address_is_loopback(ours) ||
           address_is_same_host(theirs, ours);
}

void peer_ask(struct peer_asker *p, int fd, const struct address *from, const struct address *to,
              struct peer *out)
{
    struct address ours;

    out->kind = PEER_UNTOLD;
    out->from = *from;
    if (address_is_unix(&out->from)) {
        ask_unix(fd, out);
        return;
    }
    if (to != NULL)
        ours = *to;
    else if (!address_of_socket(fd, &ours))
        return;
    address_unmap(&out->from);
    address_unmap(&ours);
    enum answer a = ask_caller(p, &out->from, &ours, &out->uid);
    if (a == ANSWER_UID)
        out->kind = PEER_TOLD;
    else if (a != ANSWER_NOBODY && !is_within_machine(&out->from, &ours) &&
             !address_is_available(&out->from))
        out->kind = PEER_REMOTE;
}
