/*
 * stream: a non-blocking, two-way flow of bytes over a connected socket, plain
 * or TLS.
 *
 * Reading pushes: on_data shows what arrived and returns how much it used; the
 * rest is kept and shown again with more after it. A wake-up does one read.
 * Writing takes everything at once: what the socket does not take is queued,
 * and the writer is to stop its source until on_drained. So a queue never
 * holds more than one wake-up's worth.
 *
 * A stream belongs to its loop's thread and to one owner, who gets the calls
 * and closes it. It may be closed inside any of its calls.
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include <stdbool.h>
#include <sys/uio.h>

#include <openssl/ssl.h>

#include "base/fail.h"
#include "base/slice.h"
#include "net/loop.h"

struct stream;

struct stream_handler {
    /* TLS: the handshake is done. */
    void (*on_ready)(void *ctx);
    /* The number of bytes used, from the front. */
    size_t (*on_data)(void *ctx, const char *bytes, size_t n);
    /* The peer has sent its last byte, properly: FIN, for TLS after a close_notify. */
    void (*on_end)(void *ctx);
    /* The queue has become empty after a write that did not fit. */
    void (*on_drained)(void *ctx);
    /* Nothing can be read any more: reset, a TLS error, TLS cut off without close_notify, nobody is
     * there (FAIL_SERVER_VANISHED). */
    void (*on_broken)(void *ctx, const struct failure *why);
    /* Nothing can be written any more; reading goes on until it ends or breaks. */
    void (*on_write_broken)(void *ctx);
};

/* Takes fd, which is connected and non-blocking. */
struct stream *stream_new_plain(struct loop *l, int fd, const struct stream_handler *handler,
                                void *ctx);

/* The same for a connection that was just accepted: when the turn ends, what has come is read at
 * once, and only if more is waited for does the stream go into epoll. */
struct stream *stream_new_accepted(struct loop *l, int fd, const struct stream_handler *handler,
                                   void *ctx);

/* Takes fd and ssl (in connect or accept state) and begins the handshake; until on_ready nothing
 * may be written. peer names the other side in sentences; copied. */
struct stream *stream_new_tls(struct loop *l, int fd, SSL *ssl, const char *peer,
                              const struct stream_handler *handler, void *ctx);

/* Begins TLS on a plain stream that has nothing to write: ssl is in connect or accept state,
 * received what was shown of its handshake so far (copied). From on_data, which then has used
 * everything. Else as for stream_new_tls(). */
void stream_start_tls(struct stream *s, SSL *ssl, const char *peer, struct slice received);

/* Hands the stream to another owner. What is unread is shown to the new one. */
void stream_set_handler(struct stream *s, const struct stream_handler *handler, void *ctx);

/* True if all went out, false if some is queued now: wait for on_drained. */
bool stream_write(struct stream *s, const struct iovec *pieces, size_t count);
bool stream_write_bytes(struct stream *s, const void *p, size_t n);

size_t stream_queued(const struct stream *s);

/* Is something still on its way to the peer, and did it take any of it since the last call? Counts
 * what it acknowledged, not what the socket took. A system call. */
bool stream_progressed(struct stream *s);

/* Is something queued, here or, as far as it was never sent, in the socket? A system call. */
bool stream_is_sending(const struct stream *s);

bool stream_is_write_broken(const struct stream *s);

/* Data that arrives while it is paused waits in the socket, on_end and on_broken with it. */
void stream_pause(struct stream *s);
void stream_resume(struct stream *s);

/* Nothing is waited for but the end: pauses a stream that has never been in epoll, so that it stays
 * out. stream_resume() ends it. */
void stream_expect_nothing(struct stream *s);

/* A reset is to be told within a second even while the stream is paused and unread data waits; for
 * peers whose data is worth nothing then. */
void stream_notice_reset(struct stream *s);

/* Ends the stream, as broken with FAIL_SERVER_VANISHED, when the peer has not acknowledged for that
 * long what it was sent; where it was sent nothing, it is probed. A slow peer that acknowledges is
 * none. Once, after the making; 0: never. */
void stream_notice_vanishing(struct stream *s, int64_t patience_ms);

/* The sink is slow: read in small portions until it keeps up again. */
void stream_read_less(struct stream *s);

/* Nothing is expected for a while: gives back what memory can be given back. */
void stream_shrink(struct stream *s);

/* After what is queued, tells the peer that nothing more comes: close_notify, then FIN. */
void stream_finish(struct stream *s);

enum stream_close_mode {
    STREAM_CLOSE, /* in order: TLS says close_notify; what is queued is lost */
    STREAM_ABORT, /* TLS says nothing, so that the peer can tell it was cut off */
    STREAM_RESET, /* a RST, for peers that would take FIN as the end of a body */
};
void stream_close(struct stream *s, enum stream_close_mode mode);

/* From on_ready, of a client's TLS: has the server said something already, a part of a record at
 * least? Nothing was written to it, so that is not an answer. */
bool stream_spoke_first(const struct stream *s);

/* Nothing comes after what on_data shows; it ended in order. */
bool stream_has_ended(const struct stream *s);
bool stream_has_ended_well(const struct stream *s);

/* Has the peer sent something that nobody has used? A system call, unless it said that all has
 * come, without TLS. */
bool stream_has_unread(const struct stream *s, bool all_has_come);

/* From now on the peer is to be silent, until it is spoken to again: what it does all the same is
 * read before all other events of a turn. */
void stream_rest(struct stream *s);
void stream_wake(struct stream *s);

/* Is it still open and silent, as far as one can see without reading? If it rests since an earlier
 * turn, nothing had come when this turn began; else it takes a system call. */
bool stream_is_alive(const struct stream *s);

int stream_fd(const struct stream *s);
SSL *stream_ssl(const struct stream *s); /* NULL: plain */

#endif
