/*
 * TLS streams. OpenSSL uses a BIO of our own. It reads from memory that one
 * recv() has filled, and writes into memory that one sendmsg() empties. So an
 * event costs one system call for each direction, however many records there
 * are. An idle connection keeps no buffer. SSL never waits until the socket is
 * writable: bytes that the socket does not take are queued.
 */
#include <assert.h>
#include <pthread.h>
#include <string.h>

#include <openssl/bio.h>

#include "base/mem.h"
#include "net/stream_ops.h"
#include "tls/error.h"

enum {
    WORTH_ANOTHER_READ = 8 * 1024,
    MAX_RECORD = 17 * 1024,
    /* Tickets, new keys, a request for a certificate: OpenSSL takes 100 KiB of one message. A
     * record has up to 40 bytes that are no data. */
    MAX_TALK = 256 * 1024,
    TALK_FOR_A_BYTE = 64,
};

/* ---- the BIO ---- */

static int wire_read(BIO *bio, char *out, int size)
{
    struct stream *s = BIO_get_data(bio);
    size_t n = (size_t)size < s->wire.n ? (size_t)size : s->wire.n;

    BIO_clear_retry_flags(bio);
    s->wire_is_dry = n == 0 && !s->wire_ended;
    if (n == 0) {
        if (s->wire_ended)
            return 0;
        BIO_set_retry_read(bio);
        return -1;
    }
    memcpy(out, s->wire.p, n);
    s->wire.p += n;
    s->wire.n -= n;
    return (int)n;
}

static void flush_wire(struct stream *s)
{
    struct loop_room *room = loop_room(s->loop);
    struct iovec piece = {room->wire_out, room->wire_out_used};

    room->wire_out_used = 0;
    stream_send(s, &piece, 1);
}

static int wire_write(BIO *bio, const char *p, int n)
{
    struct stream *s = BIO_get_data(bio);
    struct loop_room *room = loop_room(s->loop);

    BIO_clear_retry_flags(bio);
    if ((size_t)n > sizeof(room->wire_out) - room->wire_out_used)
        flush_wire(s);
    assert((size_t)n <= sizeof(room->wire_out));
    memcpy(room->wire_out + room->wire_out_used, p, (size_t)n);
    room->wire_out_used += (size_t)n;
    return n;
}

static bool is_at_end(BIO *bio)
{
    const struct stream *s = BIO_get_data(bio);

    return s->wire_ended && s->wire.n == 0;
}

/* OpenSSL calls this a dozen times a request, mostly to ask whether the BIO encrypts (kTLS). */
static long wire_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH || (command == BIO_CTRL_EOF && is_at_end(bio));
}

static BIO_METHOD *wire_method;

static void make_wire_method(void)
{
    wire_method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire");
    (void)BIO_meth_set_read(wire_method, wire_read);
    (void)BIO_meth_set_write(wire_method, wire_write);
    (void)BIO_meth_set_ctrl(wire_method, wire_ctrl);
}

/* ---- the stream ---- */

/* OpenSSL's error queue is empty between two calls, because code that meets an error empties it.
 * This is checked only once in a turn: a check before each call took 600 instructions of a
 * request. */
static void expect_no_error(const struct stream *s)
{
    struct loop_room *room = loop_room(s->loop);

    if (room->errors_checked == loop_turns(s->loop))
        return;
    room->errors_checked = loop_turns(s->loop);
    tls_expect_no_error();
}

/* If OpenSSL wanted more bytes than had come, the stream goes on. SSL_get_error() is not asked
 * then, because it would look at the error queue first. */
static enum stream_end explain(struct stream *s, int result, struct failure *why)
{
    if (s->wire_is_dry) {
        s->wire_is_dry = false;
        return STREAM_GOES_ON;
    }
    int error = SSL_get_error(s->ssl, result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
        return STREAM_GOES_ON;
    if (error == SSL_ERROR_ZERO_RETURN)
        return STREAM_ENDED;
    tls_explain(s->ssl, s->ready, s->peer, why);
    return STREAM_BROKEN;
}

static enum stream_end shake_hands(struct stream *s, struct failure *why)
{
    tls_expect_no_error();
    int result = SSL_do_handshake(s->ssl);
    enum stream_end end = result == 1 ? STREAM_GOES_ON : explain(s, result, why);

    tls_expect_no_error(); /* OpenSSL may have queued errors of attempts before it succeeded */

    flush_wire(s); /* also sends the alert of a failed handshake */
    s->ready = result == 1;
    SSL_set_read_ahead(s->ssl, s->ready); /* a record is taken from `wire` in one piece */
    return end;
}

/* Receives into `wire`. Returns the result of stream_receive(); if that is negative, *end is
 * set. */
static ssize_t receive(struct stream *s, enum stream_end *end, struct failure *why)
{
    struct loop_room *room = loop_room(s->loop);
    ssize_t got = stream_receive(s, room->wire_in, why);

    *end = got == -2 ? STREAM_BROKEN : STREAM_GOES_ON;
    if (got >= 0) {
        s->wire = (struct slice){room->wire_in, (size_t)got};
        s->wire_ended = got == 0;
    }
    return got;
}

/* OpenSSL takes no bytes while only a part of a handshake message has arrived (for example of a new
 * ticket in two records). Bytes that are written meanwhile wait in `held` for the rest. */
static void encrypt(struct stream *s, const char *p, size_t n)
{
    size_t written;

    if (n == 0 || (s->held.n == 0 && SSL_write_ex(s->ssl, p, n, &written) == 1))
        return;
    tls_expect_no_error();
    /* The BIO takes everything, so any other failure means that TLS is broken. Reading then reports
     * that. */
    if (SSL_in_init(s->ssl) != 0)
        buf_add(&s->held, p, n);
}

static void say_held(struct stream *s)
{
    struct buf held = s->held;

    if (SSL_in_init(s->ssl) != 0)
        return;
    s->held = (struct buf){0};
    encrypt(s, held.p, held.n);
    buf_free(&held);
    task_defer(s->loop, &s->tell_written);
}

/* Decrypts all received bytes and appends them to *bytes, also those before an error. */
static enum stream_end decrypt(struct stream *s, struct slice *bytes, struct failure *why)
{
    struct loop_room *room = loop_room(s->loop);
    enum stream_end end = STREAM_GOES_ON;
    size_t n;

    do {
        expect_no_error(s);
        if (SSL_read_ex(s->ssl, room->plain_in + bytes->n, sizeof(room->plain_in) - bytes->n, &n) !=
            1) {
            end = explain(s, 0, why);
            break;
        }
        bytes->n += n;
    } while (s->wire.n > 0 || s->wire_ended || SSL_has_pending(s->ssl) == 1);
    if (s->held.n > 0)
        say_held(s);
    if (room->wire_out_used > 0)
        flush_wire(s); /* OpenSSL may have answered a KeyUpdate or sent an alert */
    return end;
}

/* OpenSSL may hold a part of a record. If only the record's header has come, just the read state
 * "RB" shows that. */
static bool tls_is_at_rest(const struct stream *s)
{
    return s->wire.n == 0 && SSL_has_pending(s->ssl) == 0 &&
           strcmp(SSL_rstate_string(s->ssl), "RB") != 0;
}

/* Finds out whether the server has sent something before any request. Such bytes come together with
 * the end of the handshake. With TLS 1.2 they may come right after it, because the last message is
 * the server's. With TLS 1.3 the last message is ours, so such bytes may cross the request and
 * cannot be told from an answer. */
static enum stream_end listen_first(struct stream *s, struct slice *bytes, struct failure *why)
{
    enum stream_end end = s->wire.n > 0 ? decrypt(s, bytes, why) : STREAM_GOES_ON;
    bool last = SSL_version(s->ssl) < TLS1_3_VERSION;

    if (end == STREAM_GOES_ON && last && receive(s, &end, why) > 0)
        end = decrypt(s, bytes, why);
    s->spoke_first = bytes->n > 0 || (last && !tls_is_at_rest(s));
    return end;
}

/* The handshake is complete. */
static enum stream_end begin(struct stream *s, struct slice *bytes, struct failure *why)
{
    enum stream_end end = STREAM_GOES_ON;

    if (SSL_is_server(s->ssl) == 0)
        end = listen_first(s, bytes, why);
    s->handler->on_ready(s->ctx);
    if (end != STREAM_GOES_ON || s->closed || s->wire.n == 0)
        return end;
    return decrypt(s, bytes, why);
}

/* One recv() and what follows from it. */
static enum stream_end fill_once(struct stream *s, struct slice *bytes, ssize_t *got,
                                 struct failure *why)
{
    enum stream_end end;

    *got = receive(s, &end, why);
    if (*got < 0)
        return end;
    if (s->ready)
        return decrypt(s, bytes, why);
    end = shake_hands(s, why);
    return end == STREAM_GOES_ON && s->ready ? begin(s, bytes, why) : end;
}

/* What one read brought: bytes from the socket, bytes of data in them, and what TLS had to answer.
 */
struct portion {
    size_t received, data, answered;
};

/* A peer that sends hardly anything but messages of TLS (new keys, new handshakes) costs much and
 * says little. What it is answered queues up if it does not read. */
static enum stream_end bound_talk(struct stream *s, const struct portion *p, struct failure *why)
{
    size_t paid = p->data * TALK_FOR_A_BYTE, talk = s->talk + p->received;

    s->talk = talk > paid ? talk - paid : 0;
    s->answered = stream_queued(s) == p->answered ? p->answered : s->answered + p->answered;
    if (s->talk <= MAX_TALK && s->answered <= MAX_TALK)
        return STREAM_GOES_ON;
    failure_set(why, FAIL_TLS, "%s sends messages of TLS without end, and hardly any data.",
                s->peer);
    return STREAM_BROKEN;
}

static enum stream_end fill_portion(struct stream *s, struct slice *bytes, struct portion *p,
                                    struct failure *why)
{
    bool was_ready = s->ready;
    size_t data = bytes->n, queued = stream_queued(s);
    ssize_t got;
    enum stream_end end = fill_once(s, bytes, &got, why);

    *p = (struct portion){got > 0 ? (size_t)got : 0, bytes->n - data, 0};
    if (s->closed || !was_ready)
        return end;
    if (stream_queued(s) > queued)
        p->answered = stream_queued(s) - queued;
    return end == STREAM_GOES_ON ? bound_talk(s, p, why) : end;
}

/* While a large portion is decrypted, the next one has often come. Reading it at once saves the
 * other side a write and this side an event. If most of it was no data, other streams come first.
 */
static enum stream_end tls_fill(struct stream *s, struct slice *bytes, struct failure *why)
{
    struct loop_room *room = loop_room(s->loop);
    enum stream_end end;
    struct portion p;

    *bytes = (struct slice){room->plain_in, 0};
    do {
        end = fill_portion(s, bytes, &p, why);
    } while (end == STREAM_GOES_ON && !s->closed && p.received >= WORTH_ANOTHER_READ &&
             p.data >= p.received / 2 &&
             bytes->n + s->read_size + MAX_RECORD <= sizeof(room->plain_in));
    return end;
}

/* Small pieces are joined, so that a head and the beginning of its body share a record. */
static void tls_push(struct stream *s, const struct iovec *pieces, size_t count)
{
    struct loop_room *room = loop_room(s->loop);
    size_t gathered = 0;

    for (size_t i = 0; i < count; i++) {
        const char *p = pieces[i].iov_base;
        size_t n = pieces[i].iov_len;
        if (n > sizeof(room->plain_out) - gathered) {
            encrypt(s, room->plain_out, gathered);
            gathered = 0;
        }
        if (n > sizeof(room->plain_out) || count == 1) {
            encrypt(s, p, n);
        } else {
            memcpy(room->plain_out + gathered, p, n);
            gathered += n;
        }
    }
    encrypt(s, room->plain_out, gathered);
    flush_wire(s);
}

static void tls_say_end(struct stream *s)
{
    tls_expect_no_error();
    (void)SSL_shutdown(s->ssl);
    tls_expect_no_error();
    flush_wire(s);
}

static const struct stream_ops tls_ops = {tls_fill, tls_push, tls_is_at_rest, tls_say_end};

static void attach(struct stream *s, SSL *ssl, const char *peer)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, make_wire_method);
    BIO *wire = BIO_new(wire_method);
    BIO_set_data(wire, s);
    BIO_set_init(wire, 1);
    SSL_set_bio(ssl, wire, wire);
    s->ssl = ssl;
    s->peer = mem_copy_string(peer);
}

/* A client sends its ClientHello now. */
static void begin_to_shake(struct stream *s)
{
    struct failure ignored;

    if (SSL_is_server(s->ssl) != 0)
        return;
    tls_expect_no_error();
    (void)explain(s, SSL_do_handshake(s->ssl), &ignored);
    flush_wire(s);
}

void stream_start_tls(struct stream *s, SSL *ssl, const char *peer, struct slice received)
{
    assert(s->ssl == NULL && s->out == NULL);
    s->ops = &tls_ops;
    s->ready = false;
    attach(s, ssl, peer);
    begin_to_shake(s);
    buf_add_slice(&s->early, received);
    if (received.n > 0)
        task_defer(s->loop, &s->show);
}

struct stream *stream_new_tls(struct loop *l, int fd, SSL *ssl, const char *peer,
                              const struct stream_handler *handler, void *ctx)
{
    struct stream *s = stream_create(l, fd, &tls_ops, handler, ctx);

    stream_start_reading(s);
    attach(s, ssl, peer);
    begin_to_shake(s);
    return s;
}
