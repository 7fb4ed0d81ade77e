/*
 * Peers that are gone without a word: the machine, its address or the way to
 * it. Nothing comes then, neither data nor an error, until TCP itself gives up
 * after a quarter of an hour.
 *
 * Two things are looked at, neither of which costs an exchange a system call:
 *
 * Where the peer is waited for, the kernel probes it (keep-alive, RFC 9293,
 * 3.8.4); the options are set once.
 *
 * Where it was sent something, a timer that runs only while something is
 * outstanding asks the kernel (TCP_INFO) whether the peer has acknowledged
 * anything. TCP_USER_TIMEOUT is not enough, or rather too much: it also ends
 * a connection whose peer acknowledges all it is sent, but has closed its
 * window since it is slow (RFC 9293, 3.8.6.1).
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

/* A peer is judged so often in the time that it has; so it is given up a quarter late at most. */
enum { LOOKS = 8, PROBES = 4 };

static void set_option(const struct stream *s, int level, int name, int value)
{
    (void)setsockopt(s->fd, level, name, &value, sizeof(value));
}

static int at_least_1(int64_t n)
{
    return n < 1 ? 1 : (int)n;
}

/* Probes begin when half of the time has passed, and the last one is given up at its end. Seconds
 * are the unit, so short times get fewer. */
static void probe(const struct stream *s)
{
    const int half = at_least_1(s->patience / 2000), between = at_least_1(half / PROBES);

    set_option(s, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(s, IPPROTO_TCP, TCP_KEEPIDLE, half);
    set_option(s, IPPROTO_TCP, TCP_KEEPINTVL, between);
    set_option(s, IPPROTO_TCP, TCP_KEEPCNT, at_least_1(half / between));
    /* A closed window is probed by TCP alone, up to two minutes apart. */
    set_option(s, IPPROTO_TCP, TCP_RTO_MAX_MS, at_least_1(s->patience / 2000) * 1000);
}

static void explain(const struct stream *s, struct failure *why)
{
    failure_set(why, FAIL_SERVER_VANISHED, "%s has acknowledged nothing for %lld.%lld s.",
                s->peer == NULL ? "The other side" : s->peer, (long long)s->patience / 1000,
                (long long)s->patience % 1000 / 100);
}

/* Was the peer sent something to which it has not said anything since? What was sent and is not
 * acknowledged is sent again and again; one whose window is closed says so each time. */
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

/* TCP has found out for itself, by probes or by what it sent again and again. */
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
    /* A paused one has not read what the peer may have said: whoever paused it watches the time. */
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
