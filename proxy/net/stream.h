/*
 * stream: a non-blocking flow of bytes in both directions over a connected
 * socket, plain or TLS.
 *
 * Reading: on_data shows the bytes that arrived and returns how many it used.
 * The rest is kept and shown again with the next bytes. One event leads to one
 * read.
 *
 * Writing: a write takes all its bytes; what the socket does not take is
 * queued. The writer then has to stop its source until on_drained, so a queue
 * never holds more than one event brings.
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
    /* TLS: the handshake is complete. */
    void (*on_ready)(void *ctx);
    /* Returns the number of bytes used, from the front. */
    size_t (*on_data)(void *ctx, const char *bytes, size_t n);
    /* The peer has sent its last byte, in order: FIN, for TLS a close_notify before it. */
    void (*on_end)(void *ctx);
    /* The queue has become empty after a write that did not go out at once. */
    void (*on_drained)(void *ctx);
    /* Nothing can be read any more: a reset, a TLS error, a TLS connection cut off without
     * close_notify, or a peer that has vanished (FAIL_SERVER_VANISHED). */
    void (*on_broken)(void *ctx, const struct failure *why);
    /* Nothing can be written any more; reading goes on until it ends or breaks. */
    void (*on_write_broken)(void *ctx);
};

/* Takes ownership of fd, which is connected and non-blocking. handler and ctx get the calls. */
struct stream *stream_new_plain(struct loop *l, int fd, const struct stream_handler *handler,
                                void *ctx);

/* The same for a connection that was just accepted. It is read once at the end of the turn; only if
 * more is needed does it go into epoll. */
struct stream *stream_new_accepted(struct loop *l, int fd, const struct stream_handler *handler,
                                   void *ctx);

/* Takes ownership of fd and ssl (in connect or accept state) and begins the handshake. Nothing may
 * be written until on_ready. peer: the other side's name in sentences; copied. */
struct stream *stream_new_tls(struct loop *l, int fd, SSL *ssl, const char *peer,
                              const struct stream_handler *handler, void *ctx);

/* Begins TLS on a plain stream whose queue is empty. ssl: in connect or accept state; the stream
 * takes ownership. received: the bytes of the handshake that on_data has shown so far; copied. If
 * it is called in on_data, on_data has to return that all bytes were used. The rest is as in
 * stream_new_tls(). */
void stream_start_tls(struct stream *s, SSL *ssl, const char *peer, struct slice received);

/* Gives the stream another owner. Bytes that were kept are shown to the new owner. */
void stream_set_handler(struct stream *s, const struct stream_handler *handler, void *ctx);

/* Returns true if all bytes went to the socket; false if some are queued, so wait for
 * on_drained. */
bool stream_write(struct stream *s, const struct iovec *pieces, size_t count);
bool stream_write_bytes(struct stream *s, const void *p, size_t n);

size_t stream_queued(const struct stream *s);

/* Are bytes on their way to the peer, and has it acknowledged some since the last call? Takes a
 * system call. */
bool stream_progressed(struct stream *s);

/* Are bytes queued, in the stream or unsent in the socket? May take a system call. */
bool stream_is_sending(const struct stream *s);

/* While a stream is paused, data waits in the socket, and so do on_end and on_broken. */
void stream_pause(struct stream *s);
void stream_resume(struct stream *s);

/* Only the end of the connection is expected now. A stream that has never been in epoll is paused,
 * so that it stays out of it. stream_resume() ends that. */
void stream_expect_nothing(struct stream *s);

/* From now on a reset is reported within a second, even if the stream is paused and has unread
 * data. For peers whose data is worthless after a reset. */
void stream_notice_reset(struct stream *s);

/* Breaks the stream with FAIL_SERVER_VANISHED when the peer has not acknowledged sent bytes for
 * patience_ms milliseconds. If nothing was sent, the peer is probed. A slow peer that acknowledges
 * has not vanished. Call it once, right after the stream was made. 0: never. */
void stream_notice_vanishing(struct stream *s, int64_t patience_ms);

/* The destination of the bytes is slow: read in small portions until it keeps up again. */
void stream_read_less(struct stream *s);

/* The connection is idle for a while: frees the buffers that can be freed. */
void stream_shrink(struct stream *s);

/* Tells the peer that nothing more comes, after the queued bytes: close_notify, then FIN. */
void stream_finish(struct stream *s);

enum stream_close_mode {
    /* In order: TLS sends a close_notify. Queued bytes are lost. */
    STREAM_CLOSE,
    STREAM_ABORT, /* TLS sends nothing, so the peer can tell that it was cut off */
    STREAM_RESET, /* a RST, for peers that take FIN as the end of a body */
};
void stream_close(struct stream *s, enum stream_close_mode mode);

/* For a TLS client, in on_ready: has the server sent anything already, even a part of a record?
 * Nothing was written to it, so that is not an answer. */
bool stream_spoke_first(const struct stream *s);

/* stream_has_ended(): no bytes come after those that on_data shows. stream_has_ended_well(): the
 * stream has ended in order. */
bool stream_has_ended(const struct stream *s);
bool stream_has_ended_well(const struct stream *s);

/* Has the peer sent bytes that nobody has used? This takes a system call. */
bool stream_has_unread(const struct stream *s);

/* The peer has to be silent from stream_rest() to stream_wake(). If it sends something
 * nevertheless, that is read before all other events of a turn. */
void stream_rest(struct stream *s);
void stream_wake(struct stream *s);

/* Is the stream open, and has the peer been silent? Found out without reading. Where the loop can
 * vouch for the stream (stream_rest.c), the answer holds for the beginning of this turn; otherwise
 * it takes a system call. */
bool stream_is_alive(const struct stream *s);

int stream_fd(const struct stream *s);
SSL *stream_ssl(const struct stream *s); /* NULL: not TLS */

#endif
