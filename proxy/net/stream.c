#include "net/stream.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/sockios.h>

#include <event2/buffer.h>

#include "base/slab.h"
#include "net/stream_end.h"
#include "net/stream_ops.h"
#include "tls/client.h"

enum {
    READ_SMALL = 32 * 1024,
    READ_LARGE = LOOP_WIRE_SIZE,
    /* At most that much of a new connection can be in flight (RFC 6928), so the kernel need not
     * be asked. */
    SENT_AT_ONCE = 16 * 1024,
};

/* ---- reading ---- */

void stream_start_reading(struct stream *s)
{
    if (s->reading || s->closed || s->end != STREAM_GOES_ON)
        return;
    s->reading = true;
    (void)event_add(&s->readable, NULL);
}

static ssize_t receive_early(struct stream *s, char *room)
{
    size_t n = s->early.n < s->read_size ? s->early.n : s->read_size;

    memcpy(room, s->early.p, n);
    s->early.n -= n;
    if (s->early.n > 0)
        memmove(s->early.p, s->early.p + n, s->early.n);
    else
        buf_free(&s->early);
    return (ssize_t)n;
}

ssize_t stream_receive(struct stream *s, char *room, struct failure *why)
{
    if (s->early.n > 0)
        return receive_early(s, room);
    ssize_t n = recv(s->fd, room, s->read_size, 0);

    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return -1;
    /* a failed write has shown already that the peer has vanished */
    if (n < 0 || (n == 0 && s->has_vanished)) {
        stream_explain_error(s, n < 0 ? errno : 0, why);
        return -2;
    }
    if ((size_t)n == s->read_size && s->read_size < READ_LARGE)
        s->read_size *= 2;
    return n;
}

void stream_read_less(struct stream *s)
{
    s->read_size = READ_SMALL;
}

/* Shows the owner the bytes that were kept and the new bytes, as one piece. */
static void show(struct stream *s, struct slice bytes)
{
    bool kept = s->in.n > 0;

    if (kept) {
        buf_add_slice(&s->in, bytes);
        bytes = buf_slice(&s->in);
    }
    size_t used = s->handler->on_data(s->ctx, bytes.p, bytes.n);
    if (s->closed)
        return;
    assert(used <= bytes.n);
    if (used == bytes.n) {
        buf_free(&s->in);
    } else if (kept) {
        s->in.n -= used;
        memmove(s->in.p, s->in.p + used, s->in.n);
    } else {
        buf_add(&s->in, bytes.p + used, bytes.n - used);
    }
}

/* epoll would report a reset too, but not without reporting the unread bytes again and again. */
static void on_watch(void *arg)
{
    struct stream *s = arg;
    struct pollfd p = {.fd = s->fd};
    struct failure why;

    if (s->end == STREAM_BROKEN || s->finished || (s->end == STREAM_GOES_ON && !s->paused))
        return;
    if (poll(&p, 1, 0) == 0) {
        timer_start(s->loop, &s->watch, STREAM_WATCH_MS);
        return;
    }
    failure_set(&why, FAIL_UPSTREAM_CLOSED, "The connection was reset.");
    stream_end_break(s, &why);
}

/* Starts the timer that notices a reset of a stream that is not in epoll. */
static void watch(struct stream *s)
{
    if (s->notices_reset)
        timer_start(s->loop, &s->watch, STREAM_WATCH_MS);
}

static void read_once(struct stream *s)
{
    struct slice bytes = {NULL, 0};
    struct failure why;

    enum stream_end end = s->ops->fill(s, &bytes, &why);
    if (s->closed)
        return;
    stream_end_note(s, end, &why);
    if (bytes.n > 0 || s->in.n > 0) /* kept bytes come before an end that was found just now */
        show(s, bytes);
    if (!s->closed)
        stream_end_tell(s);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct stream *s = arg;

    (void)fd;
    (void)what;
    loop_note_read(s->loop, s->rests);
    /* Only now is the event removed, because most pauses end before anything arrives. */
    if (s->paused) {
        stream_end_reading(s);
        watch(s);
        return;
    }
    if (s->in.n > 0 && task_is_due(&s->show))
        return; /* the kept bytes are shown first; otherwise they would grow with each pause */
    read_once(s);
}

/* The first read of a connection that was accepted in this turn. */
static void read_first(struct stream *s)
{
    s->unread = false;
    read_once(s);
    if (s->closed)
        return;
    if (s->paused)
        watch(s);
    else
        stream_start_reading(s);
}

static void on_show(void *arg)
{
    struct stream *s = arg;

    if (s->closed || s->paused)
        return;
    if (s->unread) {
        read_first(s);
        return;
    }
    if (s->early.n > 0) {
        read_once(s);
        if (!s->closed && s->early.n > 0)
            task_defer(s->loop, &s->show);
        return;
    }
    if (s->in.n > 0)
        show(s, (struct slice){NULL, 0});
    if (!s->closed)
        stream_end_tell(s);
}

void stream_pause(struct stream *s)
{
    s->paused = true;
}

void stream_expect_nothing(struct stream *s)
{
    if (!s->reading)
        s->paused = true;
}

void stream_notice_reset(struct stream *s)
{
    s->notices_reset = true;
}

void stream_resume(struct stream *s)
{
    if (s->closed || !s->paused)
        return;
    s->paused = false;
    if (s->end == STREAM_GOES_ON)
        timer_stop(&s->watch);
    stream_start_reading(s);
    if (s->in.n > 0 || s->early.n > 0 || (s->end != STREAM_GOES_ON && !s->end_told))
        task_defer(s->loop, &s->show);
}

/* ---- writing ---- */

static void stop_writing(struct stream *s)
{
    if (!s->writing)
        return;
    s->writing = false;
    (void)event_del(&s->writable);
}

/* The queued bytes can never be sent. The owner is told at the end of the turn, not inside its own
 * write. */
static void break_writing(struct stream *s, int error)
{
    s->write_broken = true;
    stream_note_error(s, error);
    stop_writing(s);
    if (s->out != NULL) {
        evbuffer_free(s->out);
        s->out = NULL;
    }
    buf_free(&s->held);
    task_defer(s->loop, &s->tell_written);
}

static void queue(struct stream *s, const struct iovec *pieces, size_t count, size_t skip)
{
    if (s->out == NULL)
        s->out = evbuffer_new();
    for (size_t i = 0; i < count; i++) {
        size_t n = pieces[i].iov_len;
        size_t passed = skip < n ? skip : n;
        skip -= passed;
        if (s->out == NULL ||
            evbuffer_add(s->out, (const char *)pieces[i].iov_base + passed, n - passed) != 0)
            abort(); /* no memory: see mem.h */
    }
    if (!s->writing) {
        s->writing = true;
        (void)event_add(&s->writable, NULL);
    }
}

static size_t total(const struct iovec *pieces, size_t count)
{
    size_t n = 0;

    for (size_t i = 0; i < count; i++)
        n += pieces[i].iov_len;
    return n;
}

void stream_send(struct stream *s, const struct iovec *pieces, size_t count)
{
    size_t n = total(pieces, count);
    ssize_t sent = 0;

    if (s->write_broken || n == 0)
        return;
    if (s->out == NULL) {
        struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)pieces, .msg_iovlen = count};
        sent = sendmsg(s->fd, &m, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
            break_writing(s, errno);
            return;
        }
        if (sent < 0)
            sent = 0;
        s->sent += (uint64_t)sent;
    }
    if ((size_t)sent < n)
        queue(s, pieces, count, (size_t)sent);
    if (s->patience > 0 && !timer_runs(&s->look))
        stream_expect_answer(s);
}

/* The queue is empty: sends the end if stream_finish() has asked for it. */
static void finish(struct stream *s)
{
    if (!s->finish_wanted || s->finished || s->write_broken)
        return;
    s->finished = true;
    s->ops->say_end(s);
    if (s->out == NULL)
        (void)shutdown(s->fd, SHUT_WR);
    else
        s->finished = false; /* the close_notify is queued; FIN follows when it has gone out */
}

static void tell_drained(struct stream *s)
{
    finish(s);
    if (s->handler->on_drained != NULL)
        s->handler->on_drained(s->ctx);
}

static void on_written(void *arg)
{
    struct stream *s = arg;

    if (s->closed)
        return;
    if (!s->write_broken && stream_is_drained(s))
        tell_drained(s);
    else if (s->write_broken && s->handler->on_write_broken != NULL)
        s->handler->on_write_broken(s->ctx);
}

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
    struct stream *s = arg;

    (void)what;
    int sent = evbuffer_write(s->out, fd);
    if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
        break_writing(s, errno);
        return;
    }
    if (sent > 0)
        s->sent += (uint64_t)sent;
    if (evbuffer_get_length(s->out) > 0)
        return;
    evbuffer_free(s->out);
    s->out = NULL;
    stop_writing(s);
    if (s->held.n == 0)
        tell_drained(s);
}

bool stream_write(struct stream *s, const struct iovec *pieces, size_t count)
{
    if (s->closed || s->write_broken || s->finish_wanted)
        return true;
    s->ops->push(s, pieces, count);
    return stream_is_drained(s);
}

bool stream_write_bytes(struct stream *s, const void *p, size_t n)
{
    return stream_write(s, &(struct iovec){(void *)(uintptr_t)p, n}, 1);
}

size_t stream_queued(const struct stream *s)
{
    return s->held.n + (s->out == NULL ? 0 : evbuffer_get_length(s->out));
}

bool stream_progressed(struct stream *s)
{
    uint64_t before = s->delivered;
    int on_its_way = 0;

    if (s->closed)
        return false;
    (void)ioctl(s->fd, SIOCOUTQ, &on_its_way);
    s->delivered = s->sent - (uint64_t)on_its_way;
    return s->delivered != before && (!stream_is_drained(s) || on_its_way > 0);
}

bool stream_is_sending(const struct stream *s)
{
    int unsent = 0;

    if (s->closed || s->write_broken)
        return false;
    if (!stream_is_drained(s) || s->sent <= SENT_AT_ONCE)
        return !stream_is_drained(s);
    return ioctl(s->fd, SIOCOUTQNSD, &unsent) == 0 && unsent > 0;
}

bool stream_has_unread(const struct stream *s)
{
    char byte;

    if (s->closed || s->end != STREAM_GOES_ON)
        return false;
    return s->in.n > 0 || s->early.n > 0 || recv(s->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

void stream_shrink(struct stream *s)
{
    if (!s->closed && s->ssl != NULL)
        (void)SSL_free_buffers(s->ssl); /* does nothing in the middle of a record */
    stream_read_less(s);
}

void stream_finish(struct stream *s)
{
    if (s->closed)
        return;
    s->finish_wanted = true;
    if (stream_is_drained(s))
        finish(s);
}

/* ---- life ---- */

struct stream *stream_create(struct loop *l, int fd, const struct stream_ops *ops,
                             const struct stream_handler *handler, void *ctx)
{
    struct stream *s = slab_take(loop_slab(l, sizeof(*s)));

    s->loop = l;
    s->fd = fd;
    s->ops = ops;
    s->handler = handler;
    s->ctx = ctx;
    s->read_size = READ_SMALL;
    task_init(&s->show, on_show, s);
    task_init(&s->tell_written, on_written, s);
    timer_init(&s->watch, on_watch, s);
    (void)event_assign(&s->readable, loop_base(l), fd, EV_READ | EV_PERSIST, on_readable, s);
    (void)event_assign(&s->writable, loop_base(l), fd, EV_WRITE | EV_PERSIST, on_writable, s);
    return s;
}

void stream_set_handler(struct stream *s, const struct stream_handler *handler, void *ctx)
{
    s->handler = handler;
    s->ctx = ctx;
    if (s->in.n > 0 || (s->end != STREAM_GOES_ON && !s->end_told))
        task_defer(s->loop, &s->show);
}

static void release(void *arg)
{
    struct stream *s = arg;

    SSL_free(s->ssl);
    if (s->out != NULL)
        evbuffer_free(s->out);
    buf_free(&s->in);
    buf_free(&s->early);
    buf_free(&s->held);
    free(s->why);
    free(s->peer);
    slab_give(loop_slab(s->loop, sizeof(*s)), s);
}

void stream_close(struct stream *s, enum stream_close_mode mode)
{
    if (s->closed)
        return;
    if (mode == STREAM_CLOSE && s->ready && !s->write_broken && !s->finished &&
        stream_is_drained(s))
        s->ops->say_end(s);
    s->closed = true;
    stream_end_reading(s);
    stop_writing(s);
    task_cancel(&s->show);
    task_cancel(&s->tell_written);
    timer_stop(&s->watch);
    timer_stop(&s->look);
    if (s->ssl != NULL)
        tls_client_detach(s->ssl);
    if (mode == STREAM_RESET || s->has_vanished) {
        struct linger now = {.l_onoff = 1, .l_linger = 0};
        (void)setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    }
    (void)close(s->fd);
    s->fd = -1;
    loop_bury(s->loop, s, release);
}

bool stream_has_ended(const struct stream *s)
{
    return s->end != STREAM_GOES_ON;
}

bool stream_has_ended_well(const struct stream *s)
{
    return s->end == STREAM_ENDED;
}

bool stream_spoke_first(const struct stream *s)
{
    return s->spoke_first;
}

int stream_fd(const struct stream *s)
{
    return s->fd;
}

SSL *stream_ssl(const struct stream *s)
{
    return s->ssl;
}
