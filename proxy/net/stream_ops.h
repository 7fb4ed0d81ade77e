/*
 * stream_ops: what differs between plain and TLS streams. Private to stream*.c.
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
    STREAM_ENDED,  /* in order */
    STREAM_BROKEN, /* *why has the reason */
};

struct stream_ops {
    /* Reads once. *bytes: what arrived, maybe nothing; valid until the next read. */
    enum stream_end (*fill)(struct stream *s, struct slice *bytes, struct failure *why);
    /* Passes all pieces to the socket or to the queue. */
    void (*push)(struct stream *s, const struct iovec *pieces, size_t count);
    /* Were all received bytes passed to the owner? */
    bool (*is_at_rest)(const struct stream *s);
    /* Sends what TLS says before FIN or close (close_notify). */
    void (*say_end)(struct stream *s);
};

struct stream {
    struct loop *loop;
    const struct stream_ops *ops;
    const struct stream_handler *handler;
    void *ctx;
    int fd;
    bool closed;
    bool ready; /* there is no handshake, or it is complete */
    bool paused;
    bool notices_reset; /* also while the stream is paused */
    bool reading;       /* `readable` is in the loop */
    bool unread;        /* its first read comes at the end of the turn */
    bool writing;       /* `writable` is in the loop */
    bool write_broken;
    bool finish_wanted, finished;
    /* How the last read ended. The owner is told after it was shown all bytes. */
    enum stream_end end;
    bool end_told;
    struct failure *why; /* for STREAM_BROKEN */
    size_t read_size;
    struct event readable, writable;
    struct timer watch;   /* checks a paused stream for a reset */
    struct evbuffer *out; /* queued bytes for the wire; NULL: none */
    uint64_t sent;        /* bytes that the socket has taken */
    uint64_t delivered;   /* bytes that the peer had acknowledged at the last stream_progressed() */
    struct buf in;        /* bytes shown but not used */
    struct buf early;     /* received before TLS began; they come before the bytes in the socket */
    struct task show;     /* shows `in` again after a pause, or reads `early` */
    struct task tell_written; /* tells that writing is broken, or that `held` was written */
    size_t talk;              /* bytes received since the handshake that no data has made up for */
    size_t answered;          /* bytes that TLS itself had to say since nothing was queued */
    struct buf held;          /* written, but not encrypted yet; it comes after `out` */

    /* stream_rest.c */
    bool rests;           /* `readable` has the priority of loop_set_first() */
    uint64_t rests_since; /* loop_turns() */

    /* stream_vanish.c */
    /* How long the peer may acknowledge nothing, in milliseconds; 0: forever. */
    int64_t patience;
    struct timer look;        /* runs while the peer has not acknowledged all */
    int64_t unanswered_since; /* loop_now(); not before that */
    uint64_t acknowledged;    /* bytes, at the last look */
    bool has_vanished;

    /* TLS */
    SSL *ssl;
    char *peer;
    struct slice wire; /* received, not yet read by OpenSSL */
    bool wire_ended;
    bool wire_is_dry; /* OpenSSL wanted more bytes than had come */
    bool spoke_first; /* the server sent something before we did */
};

/* Makes a stream that is not in epoll yet. */
struct stream *stream_create(struct loop *l, int fd, const struct stream_ops *ops,
                             const struct stream_handler *handler, void *ctx);

/* Puts the event `readable` into the loop. */
void stream_start_reading(struct stream *s);

/* Sends or queues bytes for the wire. Notes if the connection is broken. */
void stream_send(struct stream *s, const struct iovec *pieces, size_t count);

/* Has the socket taken everything that was written? */
static inline bool stream_is_drained(const struct stream *s)
{
    return s->out == NULL && s->held.n == 0;
}

/* Bytes were sent to a peer that may vanish: starts the timer `look`. Only if it does not run. */
void stream_expect_answer(struct stream *s);

/* Notes if this errno of the connection means that the peer has vanished. stream_explain_error()
 * also makes the failure. */
void stream_note_error(struct stream *s, int error);
void stream_explain_error(struct stream *s, int error, struct failure *why);

/* Reads once, at most s->read_size bytes, and adapts that size. Returns the number of bytes; 0 at
 * the end, -1 if nothing is there, -2 with *why if the connection is broken. */
ssize_t stream_receive(struct stream *s, char *room, struct failure *why);

#endif
