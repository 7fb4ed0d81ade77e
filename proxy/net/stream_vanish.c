/*
 * Finds out that a peer has vanished: its machine, its address or the route to
 * it is gone. Then neither data nor an error comes, until TCP gives up after a
 * quarter of an hour.
 *
 * There are two checks, and neither costs an exchange a system call:
 *
 * While we wait for the peer, the kernel probes it (keep-alive, RFC 9293,
 * 3.8.4). The options for that are set once.
 *
 * While the peer has not acknowledged all that was sent, a timer asks the
 * kernel (TCP_INFO) whether it has acknowledged anything. TCP_USER_TIMEOUT does
 * not fit: it would also end a connection whose peer acknowledges all it gets
 * but has closed its window because it is slow (RFC 9293, 3.8.6.1).
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <linux/tcp.h>

#include <event2/buffer.h>

#include "base/mem.h"
#include "net/stream_end.h"

#ifndef TCP_RTO_MAX_MS
#define TCP_RTO_MAX_MS 44 /* Linux 6.15 */
#endif

/* Checks in the time that a peer has. The peer is given up at most a quarter of that time late. */
enum { LOOKS = 8, PROBES = 4 };

static void set_option(const struct stream *s, int level, int name, int value)
{
    (void)setsockopt(s->fd, level, name, &value, sizeof(value));
}

static int at_least_1(int64_t n)
{
    return n < 1 ? 1 : (int)n;
}

/* Probes begin after half of the time, and the last one fails at the end. The unit is seconds, so
 * there are fewer probes in short times. */
static void probe(const struct stream *s)
{
    const int half = at_least_1(s->patience / 2000), between = at_least_1(half / PROBES);

    set_option(s, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(s, IPPROTO_TCP, TCP_KEEPIDLE, half);
    set_option(s, IPPROTO_TCP, TCP_KEEPINTVL, between);
    set_option(s, IPPROTO_TCP, TCP_KEEPCNT, at_least_1(half / between));
    /* Only TCP itself probes a closed window, up to two minutes apart; this shortens that. */
    set_option(s, IPPROTO_TCP, TCP_RTO_MAX_MS, at_least_1(s->patience / 2000) * 1000);
}

static void explain(const struct stream *s, struct failure *why)
{
    failure_set(why, FAIL_SERVER_VANISHED, "%s has acknowledged nothing for %lld.%lld s.",
                s->peer == NULL ? "The other side" : s->peer, (long long)s->patience / 1000,
                (long long)s->patience % 1000 / 100);
}

/* Has the peer said nothing since something was sent to it? TCP repeats unacknowledged bytes; a
 * peer with a closed window answers each probe. */
static bool is_unanswered(const struct tcp_info *i)
{
    return i->tcpi_probes > 0 ||
           (i->tcpi_unacked > 0 && i->tcpi_last_ack_recv > i->tcpi_last_data_sent);
}

static bool is_all_acknowledged(const struct stream *s, const struct tcp_info *i)
{
    return i->tcpi_unacked == 0 && i->tcpi_notsent_bytes == 0 && i->tcpi_probes == 0 &&
           s->out == NULL;
}

/* TCP itself has given up, after probes or repeated bytes. */
void stream_note_error(struct stream *s, int error)
{
    if (s->patience > 0 && (error == ETIMEDOUT || error == EHOSTUNREACH || error == ENETUNREACH))
        s->has_vanished = true;
}

void stream_explain_error(struct stream *s, int error, struct failure *why)
{
    stream_note_error(s, error);
    if (s->has_vanished)
        explain(s, why);
    else
        failure_set(why, FAIL_UPSTREAM_CLOSED, "The connection broke: %s.", strerror(error));
}

static void vanish(struct stream *s)
{
    struct failure why;

    explain(s, &why);
    s->has_vanished = true;
    stream_end_break(s, &why);
}

static void on_look(void *arg)
{
    struct stream *s = arg;
    struct tcp_info i = {0};
    socklen_t n = sizeof(i);
    int64_t now = loop_now(s->loop);

    if (s->closed || s->end != STREAM_GOES_ON ||
        getsockopt(s->fd, IPPROTO_TCP, TCP_INFO, &i, &n) != 0 || is_all_acknowledged(s, &i))
        return;
    bool unanswered = is_unanswered(&i);
    if (!unanswered || i.tcpi_bytes_acked != s->acknowledged) {
        s->unanswered_since = now;
        s->acknowledged = i.tcpi_bytes_acked;
    }
    /* While the stream is paused, bytes of the peer may be unread; the owner that paused it watches
     * the time. */
    if (unanswered && !s->paused && now - s->unanswered_since >= s->patience &&
        i.tcpi_last_ack_recv >= s->patience)
        vanish(s);
    else
        timer_start(s->loop, &s->look, s->patience / LOOKS);
}

void stream_expect_answer(struct stream *s)
{
    s->unanswered_since = loop_now(s->loop);
    timer_start(s->loop, &s->look, s->patience / LOOKS);
}

void stream_notice_vanishing(struct stream *s, int64_t patience_ms)
{
    if (patience_ms <= 0)
        return;
    s->patience = patience_ms;
    timer_init(&s->look, on_look, s);
    probe(s);
    if (s->sent > 0 || s->out != NULL)
        stream_expect_answer(s);
}
