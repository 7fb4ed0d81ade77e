#include "memory_sockets.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sanitizer/asan_interface.h>

#include <event2/buffer.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/stream_ops.h"

enum { PROBED_MS = 20000, FIRST_FD = 20000, EVENTS_MAX = 256, GUARDED = 4096 };

static struct memory_socket sockets[SOCKETS_MAX];
static size_t nsockets;
static int64_t now_us;
static bool reversed;

/* What the linker puts in place of the functions without __wrap_, and those themselves. */
int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_socket(int family, int type, int protocol);
int __wrap_connect(int fd, const struct sockaddr *to, socklen_t n);
void sockets_vanish(struct memory_socket *s)
{
    if (s->vanished)
        return;
    s->vanished = true;
    s->vanished_us = now_us;
}

static int64_t silent_ms(const struct memory_socket *s)
{
    return s->vanished ? (now_us - s->vanished_us) / 1000 : 0;
}

/* TCP itself has found out, by probing. */
static bool was_given_up(const struct memory_socket *s)
{
    return silent_ms(s) >= PROBED_MS && !s->sent_since;
}

static void tell_info(const struct memory_socket *s, void *value)
{
    struct tcp_info i = {.tcpi_unacked = s->sent_since,
                         .tcpi_last_ack_recv = (uint32_t)silent_ms(s),
                         .tcpi_bytes_acked = s->vanished ? 0 : s->out.n};

    memcpy(value, &i, sizeof(i));
}

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *n);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t n);
ssize_t __wrap_recv(int fd, void *room, size_t n, int flags);
ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags);
int __wrap_shutdown(int fd, int how);
int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_poll(struct pollfd *p, nfds_t n, int timeout);
int64_t __wrap_clock_monotonic_us(void);
struct loop *__real_loop_new(void);
struct loop *__wrap_loop_new(void);
void __wrap_loop_free(struct loop *l);
int __wrap_event_add(struct event *e, const struct timeval *wait);
int __wrap_event_del(struct event *e);
int __wrap_event_base_loop(struct event_base *base, int flags);
int __wrap_evbuffer_write(struct evbuffer *b, int fd);

/* ---- time ---- */

int64_t __wrap_clock_monotonic_us(void)
{
    return now_us;
}

void sockets_pass(int64_t ms)
{
    now_us += ms * 1000;
}

/* ---- sockets ---- */

struct memory_socket *sockets_of(int fd)
{
    return fd >= FIRST_FD && fd < FIRST_FD + (int)nsockets ? &sockets[fd - FIRST_FD] : NULL;
}

struct memory_socket *sockets_at(size_t i)
{
    return &sockets[i];
}

size_t sockets_count(void)
{
    return nsockets;
}

static int make(enum socket_state state)
{
    if (nsockets == SOCKETS_MAX)
        return -1;
    sockets[nsockets] = (struct memory_socket){.state = state, .room = SIZE_MAX / 2};
    return FIRST_FD + (int)nsockets++;
}

int sockets_accept(void)
{
    return make(SOCKET_OPEN);
}

/* A descriptor that is used after it was closed is a bug like any other. */
static struct memory_socket *open_socket(int fd)
{
    struct memory_socket *s = sockets_of(fd);

    if (s == NULL || s->state == SOCKET_FREE || s->state == SOCKET_CLOSED)
        abort();
    return s;
}

int __wrap_socket(int family, int type, int protocol)
{
    (void)family;
    (void)type;
    (void)protocol;
    int fd = make(SOCKET_FREE);
    if (fd < 0)
        errno = EMFILE;
    else
        sockets_of(fd)->state = SOCKET_CONNECTING;
    return fd;
}

int __wrap_connect(int fd, const struct sockaddr *to, socklen_t n)
{
    struct memory_socket *s = open_socket(fd);
    struct sockaddr_in in;

    (void)n;
    memcpy(&in, to, sizeof(in));
    s->port = ntohs(in.sin_port);
    s->state = SOCKET_CONNECTING;
    errno = EINPROGRESS;
    return -1;
}

int __wrap_close(int fd)
{
    struct memory_socket *s = sockets_of(fd);

    if (s == NULL)
        return __real_close(fd);
    if (s->state == SOCKET_CLOSED)
        abort();
    s->state = SOCKET_CLOSED;
    s->out_ended = !s->lingers_not;
    buf_free(&s->in);
    return 0;
}

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *n)
{
    const struct memory_socket *s = open_socket(fd);

    (void)n;
    if (level == SOL_SOCKET && name == SO_ERROR)
        memcpy(value, &s->error, sizeof(s->error));
    else if (level == IPPROTO_TCP && name == TCP_INFO)
        tell_info(s, value);
    return 0;
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t n)
{
    struct memory_socket *s = open_socket(fd);

    (void)value;
    (void)n;
    if (level == SOL_SOCKET && name == SO_LINGER)
        s->lingers_not = true;
    return 0;
}

/* What is behind the bytes that arrived must not be looked at. */
static void guard(const char *from, size_t n)
{
    static const char *guarded;
    static size_t size;

    if (guarded != NULL)
        ASAN_UNPOISON_MEMORY_REGION(guarded, size);
    guarded = from;
    size = n < GUARDED ? n : GUARDED;
    if (from != NULL)
        ASAN_POISON_MEMORY_REGION(guarded, size);
}

ssize_t __wrap_recv(int fd, void *room, size_t n, int flags)
{
    struct memory_socket *s = open_socket(fd);
    size_t left = s->in.n - s->in_used;

    if (s->reset) {
        errno = ECONNRESET;
        return -1;
    }
    if (left == 0 && !s->in_ended)
        errno = was_given_up(s) ? ETIMEDOUT : EAGAIN;
    if (left == 0)
        return s->in_ended ? 0 : -1;
    n = n < left ? n : left;
    if (s->portion > 0 && n > s->portion)
        n = s->portion > left / 64 ? s->portion : left / 64; /* or large answers take all day */
    if ((flags & MSG_PEEK) != 0) {
        memcpy(room, s->in.p + s->in_used, n);
        return (ssize_t)n;
    }
    guard(NULL, 0);
    memcpy(room, s->in.p + s->in_used, n);
    s->in_used += n;
    guard((char *)room + n, 32 * 1024 - (n < 32 * 1024 ? n : 32 * 1024));
    return (ssize_t)n;
}

static size_t waiting(const struct memory_socket *s)
{
    return s->out.n - s->out_taken;
}

ssize_t __wrap_sendmsg(int fd, const struct msghdr *m, int flags)
{
    struct memory_socket *s = open_socket(fd);
    size_t sent = 0;

    (void)flags;
    if (s->reset || s->out_ended) {
        errno = EPIPE;
        return -1;
    }
    for (size_t i = 0; i < m->msg_iovlen; i++) {
        size_t n = m->msg_iov[i].iov_len, room = s->room > waiting(s) ? s->room - waiting(s) : 0;
        n = n < room ? n : room;
        if (n > 0 && !s->gone && !s->vanished)
            buf_add(&s->out, m->msg_iov[i].iov_base, n);
        sent += n;
    }
    s->reset = s->gone && !s->vanished;
    s->sent_since = s->sent_since || (s->vanished && sent > 0);
    if (sent == 0)
        errno = EAGAIN;
    return sent == 0 ? -1 : (ssize_t)sent;
}

int __wrap_evbuffer_write(struct evbuffer *b, int fd)
{
    struct iovec pieces[8];
    int n = evbuffer_peek(b, -1, NULL, pieces, ARRAY_LEN(pieces));
    struct msghdr m = {.msg_iov = pieces,
                       .msg_iovlen = n < (int)ARRAY_LEN(pieces) ? (size_t)n : ARRAY_LEN(pieces)};
    ssize_t sent = __wrap_sendmsg(fd, &m, 0);

    if (sent > 0)
        (void)evbuffer_drain(b, (size_t)sent);
    return (int)sent;
}

int __wrap_shutdown(int fd, int how)
{
    (void)how;
    open_socket(fd)->out_ended = true;
    return 0;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
    va_list args;

    va_start(args, request);
    int *out = va_arg(args, int *);
    va_end(args);
    *out = (int)waiting(open_socket(fd));
    return 0;
}

int __wrap_poll(struct pollfd *p, nfds_t n, int timeout)
{
    (void)n;
    (void)timeout;
    p->revents = open_socket(p->fd)->reset ? POLLHUP | POLLERR : 0;
    return p->revents != 0 ? 1 : 0;
}

/* ---- the loop ---- */

/* One serves all scripts: its room is the dearest thing of all. */
struct loop *__wrap_loop_new(void)
{
    static struct loop *only;

    if (only == NULL)
        only = __real_loop_new();
    return only;
}

/* Whatever still waits for time finds that it is gone. */
void __wrap_loop_free(struct loop *l)
{
    sockets_pass(1000000000);
    loop_turn(l, false);
    loop_turn(l, false);
}

/* ---- events ---- */

/* An event in the loop; at: when it is due, for one that waits for time. */
struct entry {
    struct event *event;
    int64_t at_us;
};

static struct entry entries[EVENTS_MAX];
static size_t nentries;

static size_t find(const struct event *e)
{
    size_t i = 0;

    while (i < nentries && entries[i].event != e)
        i++;
    return i;
}

int __wrap_event_add(struct event *e, const struct timeval *wait)
{
    size_t i = find(e);

    if (sockets_of(event_get_fd(e)) == NULL && wait == NULL)
        return 0; /* letters from other threads, of which there are none */
    if (i == EVENTS_MAX)
        abort();
    nentries += i == nentries;
    entries[i] = (struct entry){e, 0};
    if (wait != NULL)
        entries[i].at_us = now_us + (int64_t)wait->tv_sec * 1000000 + wait->tv_usec;
    return 0;
}

int __wrap_event_del(struct event *e)
{
    size_t i = find(e);

    if (i == nentries)
        return 0;
    nentries--;
    memmove(&entries[i], &entries[i + 1], (nentries - i) * sizeof(entries[0]));
    return 0;
}

static bool is_ready(const struct entry *n)
{
    const struct memory_socket *s = sockets_of(event_get_fd(n->event));

    if (s == NULL)
        return n->at_us <= now_us;
    if (s->state == SOCKET_CLOSED)
        abort(); /* it is still in the loop */
    if ((event_get_events(n->event) & EV_READ) != 0)
        return s->state == SOCKET_OPEN &&
               (s->in_used < s->in.n || s->in_ended || s->reset || was_given_up(s));
    if (s->state == SOCKET_CONNECTING)
        return s->error != 0;
    return s->reset || s->room > waiting(s);
}

bool sockets_are_ready(void)
{
    for (size_t i = 0; i < nentries; i++)
        if (is_ready(&entries[i]))
            return true;
    return false;
}

static void call(struct event *e)
{
    short what = event_get_events(e);

    if ((what & EV_PERSIST) == 0)
        (void)__wrap_event_del(e);
    event_get_callback(e)(event_get_fd(e), what, event_get_callback_arg(e));
}

/* Those that are ready when the turn begins, unless another one takes them out; the more important
 * ones first. */
int __wrap_event_base_loop(struct event_base *base, int flags)
{
    struct event *due[EVENTS_MAX];
    size_t n = 0;

    (void)flags;
    for (int priority = 0; priority < event_base_get_npriorities(base); priority++) {
        n = 0;
        for (size_t i = 0; i < nentries; i++)
            if (event_get_priority(entries[i].event) == priority && is_ready(&entries[i]))
                due[n++] = entries[i].event;
        for (size_t k = 0; k < n; k++) {
            struct event *e = due[reversed ? n - 1 - k : k];
            if (find(e) != nentries)
                call(e);
        }
    }
    return 0;
}

void sockets_reverse(bool newest_first)
{
    reversed = newest_first;
}

void sockets_begin(void)
{
    for (size_t i = 0; i < nsockets; i++) {
        buf_free(&sockets[i].in);
        buf_free(&sockets[i].out);
    }
    if (nentries > 0)
        abort();
    guard(NULL, 0);
    nsockets = 0;
    now_us = 1000000;
    reversed = false;
}

/* ---- TLS ---- */

static enum stream_end tls_end(const struct memory_socket *s, struct failure *why)
{
    if (s->said_alert) {
        failure_set(why, FAIL_CERTIFICATE_REFUSED, "The server refused the certificate.");
        return STREAM_BROKEN;
    }
    if (s->said_notify)
        return STREAM_ENDED;
    failure_set(why, FAIL_UPSTREAM_CLOSED, "The connection was cut off.");
    return STREAM_BROKEN;
}

static enum stream_end tls_fill(struct stream *s, struct slice *bytes, struct failure *why)
{
    char *room = loop_room(s->loop)->plain_in;
    ssize_t n = stream_receive(s, room, why);

    if (n == -2)
        return STREAM_BROKEN;
    if (n == 0)
        return tls_end(open_socket(s->fd), why);
    if (n < 0)
        return STREAM_GOES_ON;
    *bytes = (struct slice){room, (size_t)n};
    if (s->ready)
        return STREAM_GOES_ON;
    if (room[0] != SOCKET_HELLO) {
        *bytes = (struct slice){NULL, 0};
        failure_set(why, FAIL_TLS, "This is no TLS.");
        return STREAM_BROKEN;
    }
    *bytes = (struct slice){room + 1, (size_t)n - 1};
    s->ready = true;
    s->handler->on_ready(s->ctx);
    return STREAM_GOES_ON;
}

static bool tls_is_at_rest(const struct stream *s)
{
    (void)s;
    return true;
}

static void tls_say_end(struct stream *s)
{
    open_socket(s->fd)->got_notify = true;
}

static const struct stream_ops tls_ops = {tls_fill, stream_send, tls_is_at_rest, tls_say_end};

struct stream *stream_new_tls(struct loop *l, int fd, SSL *ssl, const char *peer,
                              const struct stream_handler *handler, void *ctx)
{
    struct stream *s = stream_create(l, fd, &tls_ops, handler, ctx);

    stream_start_reading(s);

    s->ssl = ssl;
    s->peer = mem_copy_string(peer);
    return s;
}

/* There is no local CA, so nobody comes that far. */
void stream_start_tls(struct stream *s, SSL *ssl, const char *peer, struct slice received)
{
    (void)s;
    (void)ssl;
    (void)peer;
    (void)received;
    abort();
}
