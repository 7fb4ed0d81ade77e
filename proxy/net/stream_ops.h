/*
 * stream_ops: what a plain and a TLS stream do differently. Private to
 * stream*.c.
 */
#ifndef NET_STREAM_OPS_H
#define NET_STREAM_OPS_H

#include "base/buf.h"
#include "net/stream.h"

#include <event2/event.h>
#include <event2/event_struct.h>

struct evbuffer;

enum stream_end {
    STREAM_GOES_ON,
    STREAM_ENDED,  /* properly */
    STREAM_BROKEN, /* *why says how */
};

struct stream_ops {
    /* One read: *bytes becomes what arrived (maybe nothing), in room that lasts until the next. */
    enum stream_end (*fill)(struct stream *s, struct slice *bytes, struct failure *why);
    /* Hands all pieces to the socket or to the queue. */
    void (*push)(struct stream *s, const struct iovec *pieces, size_t count);
    /* Is nothing of what was received still on its way to the owner? */
    bool (*is_at_rest)(const struct stream *s);
    /* Says the last word before FIN or close. */
    void (*say_end)(struct stream *s);
};

struct stream {
    struct loop *loop;
    const struct stream_ops *ops;
    const struct stream_handler *handler;
    void *ctx;
    int fd;
    bool closed;
    bool ready; /* no handshake, or it is done */
    bool paused;
    bool notices_reset; /* while it is paused, too */
    bool reading;       /* `readable` is in the loop */
    bool unread;        /* its first read comes when the turn ends */
    bool writing;       /* `writable` is in the loop */
    bool write_broken;
    bool finish_wanted, finished;
    enum stream_end end; /* what was read last; told once all bytes were shown */
    bool end_told;
    struct failure *why; /* of STREAM_BROKEN */
    size_t read_size;
    struct event readable, writable;
    struct timer watch;   /* of a paused stream that is to notice a reset */
    struct evbuffer *out; /* bytes for the wire; NULL: none queued */
    uint64_t sent;        /* bytes that the socket took */
    uint64_t delivered;   /* of those, what the peer had at the last stream_progressed() */
    struct buf in;        /* bytes shown but not used */
    struct buf early;     /* received before TLS began: they come before what is in the socket */
    struct task show;     /* shows `in` again after a pause, or what becomes of `early` */
    struct task tell_written; /* that writing is broken, or that `held` is out */
    struct buf held;          /* written, but not encrypted yet; it comes after `out` */

    /* stream_rest.c */
    bool rests;           /* `readable` comes before other events */
    uint64_t rests_since; /* loop_turns() */

    /* stream_vanish.c */
    int64_t patience;         /* with a peer that acknowledges nothing, in ms; 0: endless */
    struct timer look;        /* while something is outstanding */
    int64_t unanswered_since; /* loop_now(), at the earliest */
    uint64_t acknowledged;    /* bytes, when it was looked last */
    bool has_vanished;

    /* TLS */
    SSL *ssl;
    char *peer;
    struct slice wire; /* received, not yet taken by OpenSSL */
    bool wire_ended;
    bool wire_is_dry; /* OpenSSL has asked for more than had come */
    bool spoke_first; /* the server, before anything was written to it */
};

/* Not in the loop yet. */
struct stream *stream_create(struct loop *l, int fd, const struct stream_ops *ops,
                             const struct stream_handler *handler, void *ctx);

/* Puts `readable` into the loop. */
void stream_start_reading(struct stream *s);

/* Sends or queues bytes for the wire; notes a broken connection. */
void stream_send(struct stream *s, const struct iovec *pieces, size_t count);

/* Is nothing left of what was written? */
static inline bool stream_is_drained(const struct stream *s)
{
    return s->out == NULL && s->held.n == 0;
}

/* Something goes to a peer that could vanish; while its timer does not run. */
void stream_expect_answer(struct stream *s);

/* An errno of the connection may say that the peer is gone. */
void stream_note_error(struct stream *s, int error);
void stream_explain_error(struct stream *s, int error, struct failure *why);

/* One recv() of at most s->read_size bytes, which it adapts: the count, 0 at the end, -1 if nothing
 * is there, -2 if the connection is broken (*why). */
ssize_t stream_receive(struct stream *s, char *room, struct failure *why);

#endif
