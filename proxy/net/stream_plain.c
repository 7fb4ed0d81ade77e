#include "net/stream_ops.h"

static enum stream_end plain_fill(struct stream *s, struct slice *bytes, struct failure *why)
{
    char *room = loop_room(s->loop)->plain_in;
    ssize_t n = stream_receive(s, room, why);

    if (n == -2)
        return STREAM_BROKEN;
    if (n > 0)
        *bytes = (struct slice){room, (size_t)n};
    return n == 0 ? STREAM_ENDED : STREAM_GOES_ON;
}

static void plain_say_end(struct stream *s)
{
    (void)s; /* FIN is enough */
}

static bool plain_is_at_rest(const struct stream *s)
{
    (void)s;
    return true;
}

static const struct stream_ops plain_ops = {plain_fill, stream_send, plain_is_at_rest,
                                            plain_say_end};

static struct stream *create(struct loop *l, int fd, const struct stream_handler *handler,
                             void *ctx)
{
    struct stream *s = stream_create(l, fd, &plain_ops, handler, ctx);

    s->ready = true;
    return s;
}

struct stream *stream_new_plain(struct loop *l, int fd, const struct stream_handler *handler,
                                void *ctx)
{
    struct stream *s = create(l, fd, handler, ctx);

    stream_start_reading(s);
    return s;
}

/* A connection that brings one request is closed before it was ever in epoll, which saves two
 * system calls. */
struct stream *stream_new_accepted(struct loop *l, int fd, const struct stream_handler *handler,
                                   void *ctx)
{
    struct stream *s = create(l, fd, handler, ctx);

    s->unread = true;
    task_defer(l, &s->show);
    return s;
}
