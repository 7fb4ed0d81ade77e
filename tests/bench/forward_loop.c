/*
 * forward_loop: what the job costs without HTTP. It passes bytes between callers (plain TCP) and
 * one server (TLS with a client certificate) and parses nothing: one read and one write for each
 * wake-up. No proxy that reads HTTP can be much cheaper, so counts.py prints it beside them.
 *
 *   forward_loop LISTEN-PORT SERVER-PORT CERTIFICATE-AND-KEY.pem CA.pem
 *
 * Both ports are on 127.0.0.1. It serves until SIGTERM. It is an instrument, not a proxy: a write
 * to a caller blocks until it fits, and a request that does not fit into the server's socket is
 * cut.
 */
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/ssl.h>

enum { ROOM = 256 * 1024, EVENTS = 64 };

/* One end of a pair; what comes in at one end goes out at the other. */
struct end {
    int fd;
    SSL *tls; /* NULL: the caller's end */
    struct end *other;
    bool closed;
};

static char room[ROOM];
static int poller;
static const char new_caller, stop; /* what a wake-up is about, if not an end */

static struct sockaddr_in address_of(const char *port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)atoi(port)),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static int open_socket(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0)
        err(1, "socket");
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
    return fd;
}

static void watch(int fd, const void *what)
{
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = (void *)(uintptr_t)what};

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (epoll_ctl(poller, EPOLL_CTL_ADD, fd, &e) < 0)
        err(1, "epoll_ctl");
}

static void accept_pair(int listener, SSL_CTX *context, const char *server)
{
    struct sockaddr_in to = address_of(server);
    struct end *near = calloc(1, sizeof(*near)), *far = calloc(1, sizeof(*far));

    if (near == NULL || far == NULL)
        err(1, "calloc");
    *near = (struct end){.fd = accept(listener, NULL, NULL), .other = far};
    *far = (struct end){.fd = open_socket(), .tls = SSL_new(context), .other = near};
    if (near->fd < 0 || far->tls == NULL ||
        connect(far->fd, (const struct sockaddr *)&to, sizeof(to)) < 0)
        err(1, "connect to port %s", server);
    SSL_set_fd(far->tls, far->fd);
    if (SSL_connect(far->tls) != 1)
        errx(1, "the TLS handshake with port %s failed", server);
    (void)fcntl(far->fd, F_SETFL, O_NONBLOCK);
    watch(near->fd, near);
    watch(far->fd, far);
}

/* The ends are not freed: another event of the same wake-up may name them. */
static void close_pair(struct end *e)
{
    struct end *both[] = {e, e->other};

    for (int i = 0; i < 2; i++) {
        both[i]->closed = true;
        SSL_free(both[i]->tls);
        (void)close(both[i]->fd);
    }
}

/* All that has arrived at an end; 0: it is over. */
static size_t take(struct end *e)
{
    size_t n = 0, step = 0;

    if (e->tls == NULL) {
        ssize_t got = read(e->fd, room, sizeof(room));
        return got > 0 ? (size_t)got : 0;
    }
    while (n < sizeof(room) && (n == 0 || SSL_has_pending(e->tls)) &&
           SSL_read_ex(e->tls, room + n, sizeof(room) - n, &step) == 1)
        n += step;
    return n;
}

static bool give(struct end *e, size_t n)
{
    size_t written;

    if (e->tls != NULL)
        return SSL_write_ex(e->tls, room, n, &written) == 1;
    return write(e->fd, room, n) == (ssize_t)n;
}

/* A session ticket or a part of a record has come: nothing to pass on, and no end. */
static bool has_only_begun(const struct end *e, size_t n)
{
    return e->tls != NULL && n == 0 && SSL_get_shutdown(e->tls) == 0 && SSL_want_read(e->tls);
}

static void forward(struct end *e)
{
    if (e->closed)
        return;
    size_t n = take(e);
    if (has_only_begun(e, n))
        return;
    if (n == 0 || !give(e->other, n))
        close_pair(e);
}

static SSL_CTX *make_context(const char *identity, const char *ca)
{
    SSL_CTX *c = SSL_CTX_new(TLS_client_method());

    if (c == NULL || SSL_CTX_use_certificate_chain_file(c, identity) != 1 ||
        SSL_CTX_use_PrivateKey_file(c, identity, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_load_verify_locations(c, ca, NULL) != 1)
        errx(1, "%s or %s cannot be used", identity, ca);
    SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_read_ahead(c, 1);
    SSL_CTX_set_default_read_buffer_len(c, ROOM);
    return c;
}

/* A wake-up for SIGTERM. */
static int open_signal(void)
{
    sigset_t term;

    (void)signal(SIGPIPE, SIG_IGN);
    (void)sigemptyset(&term);
    (void)sigaddset(&term, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &term, NULL);
    return signalfd(-1, &term, 0);
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS];

    if (argc != 5)
        errx(2, "usage: forward_loop LISTEN-PORT SERVER-PORT CERTIFICATE-AND-KEY.pem CA.pem");
    SSL_CTX *context = make_context(argv[3], argv[4]);
    struct sockaddr_in own = address_of(argv[1]);
    int listener = open_socket();
    if (bind(listener, (const struct sockaddr *)&own, sizeof(own)) < 0 ||
        listen(listener, 4096) < 0)
        err(1, "port %s", argv[1]);
    poller = epoll_create1(0);
    watch(listener, &new_caller);
    watch(open_signal(), &stop);
    for (;;) {
        int n = epoll_wait(poller, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == &stop)
                return 0;
            if (events[i].data.ptr == &new_caller)
                accept_pair(listener, context, argv[2]);
            else
                forward(events[i].data.ptr);
        }
    }
}
