#include "net/peer.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>

#include "base/mem.h"

struct peer_asker {
    int fd; /* -1: no socket */
    uint32_t sequence;
    bool works;
};

/* The states in which a process still holds the socket. The process may have sent its last byte. */
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

/* The interface to ask for. Packets within a machine use lo, which has index 1 in every network
 * name space. Anybody may bind a socket to a device; the kernel finds such a socket only if asked
 * for that device. A socket that is not bound is found for any device. */
static uint32_t interface_of(const struct address *a)
{
    uint32_t scope = a->any.sa_family == AF_INET6
                         ? ((const struct sockaddr_in6 *)&a->storage)->sin6_scope_id
                         : 0;

    return scope != 0 ? scope : 1;
}

/* A socket that the kernel is asked about, and the kernel's answer. */
struct lookup {
    const struct address *theirs, *ours;
    enum answer answer;
    struct inet_diag_msg found; /* of ANSWER_UID and ANSWER_NOBODY */
};

static void write_request(const struct lookup *l, uint32_t sequence, struct request *out)
{
    *out = (struct request){
        .head = {.nlmsg_len = sizeof(*out),
                 .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                 .nlmsg_flags = NLM_F_REQUEST,
                 .nlmsg_seq = sequence},
        .body = {.sdiag_family = (uint8_t)l->theirs->any.sa_family,
                 .sdiag_protocol = IPPROTO_TCP,
                 .idiag_states = ~0U,
                 .id.idiag_if = interface_of(l->theirs),
                 .id.idiag_cookie = {INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE}},
    };
    put_address(l->theirs, out->body.id.idiag_src, &out->body.id.idiag_sport);
    put_address(l->ours, out->body.id.idiag_dst, &out->body.id.idiag_dport);
}

static bool send_requests(struct peer_asker *p, const struct lookup lookups[], size_t n)
{
    struct request requests[PEER_MAX_AT_ONCE];

    for (size_t i = 0; i < n; i++)
        write_request(&lookups[i], ++p->sequence, &requests[i]);
    return send(p->fd, requests, n * sizeof(requests[0]), MSG_DONTWAIT) ==
           (ssize_t)(n * sizeof(requests[0]));
}

static enum answer read_error(const struct nlmsghdr *head, size_t n)
{
    const struct nlmsgerr *e = (const void *)((const char *)head + NLMSG_HDRLEN);

    if (n < NLMSG_LENGTH(sizeof(e->error)))
        return ANSWER_NONE;
    return e->error == -ENOENT ? ANSWER_NO_SOCKET : ANSWER_NONE;
}

static enum answer read_answer(const struct nlmsghdr *head, size_t n, struct inet_diag_msg *out)
{
    if (head->nlmsg_type == NLMSG_ERROR)
        return read_error(head, n);
    if (head->nlmsg_type != SOCK_DIAG_BY_FAMILY || n < NLMSG_LENGTH(sizeof(*out)))
        return ANSWER_NONE;
    memcpy(out, (const char *)head + NLMSG_HDRLEN, sizeof(*out));
    return out->idiag_inode != 0 ? ANSWER_UID : ANSWER_NOBODY;
}

/* Receives up to n messages. Those that do not answer the questions with the numbers from `first`
 * on are skipped. Returns the number of answers; 0: there are no more. */
static size_t receive(struct peer_asker *p, struct lookup lookups[], size_t n, uint32_t first)
{
    union {
        struct nlmsghdr head;
        char bytes[256];
    } rooms[PEER_MAX_AT_ONCE];
    struct iovec parts[PEER_MAX_AT_ONCE];
    struct mmsghdr messages[PEER_MAX_AT_ONCE] = {{.msg_len = 0}};
    size_t answers = 0;
    int got;

    for (size_t i = 0; i < n; i++) {
        parts[i] = (struct iovec){&rooms[i], sizeof(rooms[i])};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
    }
    do {
        got = recvmmsg(p->fd, messages, (unsigned)n, MSG_DONTWAIT, NULL);
        for (int i = 0; i < got; i++) {
            uint32_t at = rooms[i].head.nlmsg_seq - first;
            if (messages[i].msg_len < sizeof(rooms[i].head) || at >= n)
                continue;
            lookups[at].answer =
                read_answer(&rooms[i].head, messages[i].msg_len, &lookups[at].found);
            answers++;
        }
    } while (got > 0 && answers == 0);
    return answers;
}

/* The kernel answers during the send, so all answers are there when the send returns. */
static void ask(struct peer_asker *p, struct lookup lookups[], size_t n)
{
    const uint32_t first = p->sequence + 1;
    size_t answers = 0, more = 1;

    for (size_t i = 0; i < n; i++)
        lookups[i].answer = ANSWER_NONE;
    if (p->fd < 0 || n == 0 || !send_requests(p, lookups, n))
        return;
    for (; answers < n && more > 0; answers += more)
        more = receive(p, lookups, n, first);
}

/* If there is no established socket, the kernel returns one that listens on the port. That one is
 * not the caller's. */
static enum answer judge(const struct lookup *l)
{
    const struct inet_diag_msg *m = &l->found;
    __be32 ip[4];
    __be16 their_port, our_port;

    if (l->answer != ANSWER_UID && l->answer != ANSWER_NOBODY)
        return l->answer;
    put_address(l->theirs, ip, &their_port);
    put_address(l->ours, ip, &our_port);
    if (m->id.idiag_sport != their_port || m->id.idiag_dport != our_port)
        return ANSWER_NO_SOCKET;
    return (1 << m->idiag_state & HELD) == 0 ? ANSWER_NOBODY : l->answer;
}

/* ---- the asker ---- */

/* A kernel without sock_diag also says ENOENT. So the kernel is asked for a socket that exists. */
static bool works_for(struct peer_asker *p, const char *any_port)
{
    struct address at, nowhere;
    struct lookup l = {.theirs = &at, .ours = &nowhere, .answer = ANSWER_NONE};
    struct diag why;

    if (address_parse(any_port, &at, &why) != ST_OK)
        return false;
    nowhere = at;
    int fd = socket(at.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, &at.any, at.length) == 0 && listen(fd, 1) == 0 &&
        getsockname(fd, &at.any, &at.length) == 0)
        ask(p, &l, 1);
    if (fd >= 0)
        (void)close(fd);
    return l.answer == ANSWER_UID;
}

struct peer_asker *peer_asker_new(void)
{
    struct peer_asker *p = NEW(struct peer_asker);
    struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

    p->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
    /* a connected socket gets messages of the kernel only */
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

/* True if one address is loopback, or both are the same. If the caller uses two other addresses of
 * this machine, the kernel finds its socket nevertheless. */
static bool is_within_machine(const struct address *theirs, const struct address *ours)
{
    return address_is_loopback(theirs) || address_is_loopback(ours) ||
           address_is_same_host(theirs, ours);
}

/* If the kernel has not named a TCP connection's owner, this tells where the connection is from. */
static void tell(const struct lookup *l, struct peer *out)
{
    enum answer a = judge(l);

    if (a == ANSWER_UID) {
        out->kind = PEER_TOLD;
        out->uid = l->found.idiag_uid;
    } else if (a != ANSWER_NOBODY && !is_within_machine(&out->from, l->ours) &&
               !address_is_available(&out->from)) {
        out->kind = PEER_REMOTE;
    }
}

static bool find_own_address(const struct newcomer *c, struct address *out)
{
    bool known = c->to != NULL;

    if (known)
        *out = *c->to;
    else
        known = address_of_socket(c->fd, out);
    if (known)
        address_unmap(out);
    return known;
}

void peer_ask(struct peer_asker *p, const struct newcomer all[], size_t n, struct peer out[])
{
    struct lookup lookups[PEER_MAX_AT_ONCE];
    struct address ours[PEER_MAX_AT_ONCE];
    struct peer *asked_for[PEER_MAX_AT_ONCE];
    size_t count = 0;

    assert(n <= PEER_MAX_AT_ONCE);
    for (size_t i = 0; i < n; i++) {
        out[i] = (struct peer){.kind = PEER_UNTOLD, .from = *all[i].from};
        if (address_is_unix(&out[i].from)) {
            ask_unix(all[i].fd, &out[i]);
        } else if (find_own_address(&all[i], &ours[count])) {
            address_unmap(&out[i].from);
            lookups[count].theirs = &out[i].from;
            lookups[count].ours = &ours[count];
            asked_for[count++] = &out[i];
        }
    }
    ask(p, lookups, count);
    for (size_t i = 0; i < count; i++)
        tell(&lookups[i], asked_for[i]);
}
