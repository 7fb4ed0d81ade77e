/*
 * Streams at rest: has the peer sent something or closed?
 *
 * Asking the kernel before each use of a kept connection took one of five
 * system calls of a request. But the loop already knows the answer. A stream at
 * rest is in epoll, and its events come before all others. So whatever had
 * arrived when the loop woke was read before the request that wants the
 * connection. The kernel is asked where the loop cannot vouch for the stream: it
 * has come to rest in this turn, is paused or not in epoll, could not get the
 * priority, or the turn had so many events that some may be left for the next.
 * Bytes that arrive during the turn are not noticed. Nor are bytes that arrive
 * while the request is on its way, which takes longer.
 */
#include <errno.h>
#include <sys/socket.h>

#include "net/stream_ops.h"

void stream_rest(struct stream *s)
{
    s->rests = loop_set_first(&s->readable, true);
    s->rests_since = loop_turns(s->loop);
}

void stream_wake(struct stream *s)
{
    if (s->rests)
        (void)loop_set_first(&s->readable, false);
    s->rests = false;
}

static bool is_silent(const struct stream *s)
{
    char byte;

    if (s->rests && s->reading && !s->paused && s->rests_since != loop_turns(s->loop) &&
        loop_saw_all(s->loop))
        return true;
    return recv(s->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
           (errno == EAGAIN || errno == EWOULDBLOCK);
}

bool stream_is_alive(const struct stream *s)
{
    return !s->closed && !s->write_broken && s->end == STREAM_GOES_ON && s->in.n == 0 &&
           s->ops->is_at_rest(s) && is_silent(s);
}
