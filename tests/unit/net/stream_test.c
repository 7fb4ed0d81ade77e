#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/stream.h"
#include "test.h"
#include "tls/issue.h"
#include "tls/server.h"

/* A stream's owner that writes down what it is told. */
struct owner {
    struct loop *loop;
    struct stream *stream;
    int peer; /* the other end, a blocking socket */
    struct buf got;
    size_t take;      /* uses at most so much of each piece */
    bool pause_after; /* pauses in its on_data */
    bool close_in_data;
    bool expects_nothing;
    const struct owner *other; /* has it been shown something before this one? */
    bool other_came_first;
    bool other_was_alive; /* when this one was shown something last */
    int ends, breaks, drains, write_breaks;
    struct failure why; /* of what broke */
};

static size_t on_data(void *ctx, const char *p, size_t n)
{
    struct owner *o = ctx;
    size_t used = n < o->take ? n : o->take;

    buf_add(&o->got, p, used);
    o->other_came_first = o->other != NULL && o->other->got.n > 0;
    o->other_was_alive = o->other != NULL && stream_is_alive(o->other->stream);
    if (o->expects_nothing)
        stream_expect_nothing(o->stream);
    if (o->pause_after)
        stream_pause(o->stream);
    if (o->close_in_data) {
        stream_close(o->stream, STREAM_CLOSE);
        o->stream = NULL;
    }
    return used;
}

static void on_end(void *ctx)
{
    ((struct owner *)ctx)->ends++;
}

static void on_drained(void *ctx)
{
    ((struct owner *)ctx)->drains++;
}

static void on_broken(void *ctx, const struct failure *why)
{
    struct owner *o = ctx;

    o->why = *why;
    o->breaks++;
}

static void on_write_broken(void *ctx)
{
    ((struct owner *)ctx)->write_breaks++;
}

static const struct stream_handler handler = {.on_data = on_data,
                                              .on_end = on_end,
                                              .on_drained = on_drained,
                                              .on_broken = on_broken,
                                              .on_write_broken = on_write_broken};

typedef struct stream *stream_maker(struct loop *l, int fd, const struct stream_handler *h,
                                    void *ctx);

static struct owner *owner_in(struct loop *l, stream_maker *make)
{
    struct owner *o = NEW(struct owner);
    int fds[2];

    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0, "socketpair");
    (void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
    o->loop = l;
    o->peer = fds[1];
    o->take = SIZE_MAX;
    o->stream = make(l, fds[0], &handler, o);
    return o;
}

static struct owner *owner_new(void)
{
    return owner_in(loop_new(), stream_new_plain);
}

static void owner_leave(struct owner *o)
{
    if (o->stream != NULL)
        stream_close(o->stream, STREAM_CLOSE);
    loop_turn(o->loop, false);
    if (o->peer >= 0)
        (void)close(o->peer);
    buf_free(&o->got);
    free(o);
}

static void owner_free(struct owner *o)
{
    struct loop *l = o->loop;

    owner_leave(o);
    loop_free(l);
}

static void say(const struct owner *o, const char *text)
{
    CHECK_INT(write(o->peer, text, strlen(text)), (ssize_t)strlen(text), "write");
}

static void close_peer(struct owner *o)
{
    (void)close(o->peer);
    o->peer = -1;
}

TEST(what_is_not_used_is_shown_again)
{
    struct owner *o = owner_new();

    o->take = 2;
    say(o, "abc");
    loop_turn(o->loop, true);
    CHECK_SLICE(buf_slice(&o->got), "ab", "the first two");
    say(o, "de");
    loop_turn(o->loop, true);
    CHECK_SLICE(buf_slice(&o->got), "abcd", "what was left comes before the new");
    say(o, "f");
    loop_turn(o->loop, true);
    CHECK_SLICE(buf_slice(&o->got), "abcdef", "all");
    owner_free(o);
}

TEST(a_paused_stream_is_silent_and_loses_nothing)
{
    struct owner *o = owner_new();

    o->take = 1;
    o->pause_after = true;
    say(o, "abc");
    loop_turn(o->loop, true);
    CHECK_SLICE(buf_slice(&o->got), "a", "paused in the call");
    say(o, "d");
    (void)close(o->peer);
    o->peer = -1;
    loop_turn(o->loop, false);
    loop_turn(o->loop, false);
    CHECK_SLICE(buf_slice(&o->got), "a", "nothing while paused");
    CHECK_INT(o->ends, 0, "no end either");
    o->pause_after = false;
    o->take = SIZE_MAX;
    stream_resume(o->stream);
    while (o->ends == 0)
        loop_turn(o->loop, true);
    CHECK_SLICE(buf_slice(&o->got), "abcd", "all of it, then the end");
    CHECK_INT(o->ends, 1, "once");
    owner_free(o);
}

TEST(a_stream_may_be_closed_in_its_own_call)
{
    struct owner *o = owner_new();
    char byte;

    o->close_in_data = true;
    say(o, "abc");
    loop_turn(o->loop, true);
    CHECK_INT(read(o->peer, &byte, 1), 0, "closed");
    owner_free(o);
}

TEST(a_write_that_does_not_fit_is_queued_and_drains)
{
    struct owner *o = owner_new();
    size_t size = 4 * 1024 * 1024, got = 0;
    char *big = mem_new(size), *room = mem_new(size + 65536);

    for (size_t i = 0; i < size; i++)
        big[i] = (char)(i * 7 + i / 4096);
    CHECK(!stream_write_bytes(o->stream, big, size));
    CHECK(stream_queued(o->stream) > 0);
    CHECK(!stream_write_bytes(o->stream, "end", 3));
    stream_finish(o->stream);
    while (got < size + 3) {
        loop_turn(o->loop, false);
        ssize_t n = recv(o->peer, room + got, 65536, MSG_DONTWAIT);
        if (n > 0 && got < size && got + (size_t)n >= size)
            CHECK(memcmp(big, room, size) == 0);
        if (n > 0)
            got += (size_t)n;
    }
    CHECK_INT(o->drains, 1, "told once");
    CHECK_INT(stream_queued(o->stream), 0, "empty");
    CHECK_INT(recv(o->peer, room, 1, 0), 0, "the FIN comes behind it all");
    free(big);
    free(room);
    owner_free(o);
}

TEST(writing_to_a_closed_peer_breaks_writing_only)
{
    struct owner *o = owner_new();

    say(o, "last words");
    (void)shutdown(o->peer, SHUT_RD);
    (void)stream_write_bytes(o->stream, "x", 1);
    (void)stream_write_bytes(o->stream, "x", 1);
    CHECK_INT(o->write_breaks, 0, "not told inside the write");
    loop_turn(o->loop, false);
    loop_turn(o->loop, false);
    CHECK_INT(o->write_breaks, 1, "told once");
    CHECK_SLICE(buf_slice(&o->got), "last words", "still read");
    owner_free(o);
}

TEST(an_end_is_told_once)
{
    struct owner *o = owner_new();

    CHECK(stream_is_alive(o->stream));
    close_peer(o);
    CHECK(!stream_is_alive(o->stream));
    loop_turn(o->loop, true);
    loop_turn(o->loop, false);
    CHECK_INT(o->ends, 1, "told");
    CHECK_INT(o->breaks, 0, "sound");
    owner_free(o);
}

/* Of two that have something to read the one at rest comes first, whoever was there first. */
TEST(a_stream_at_rest_comes_before_others)
{
    struct owner *usual = owner_new(), *resting = owner_in(usual->loop, stream_new_plain);

    resting->pause_after = usual->pause_after = true;
    stream_rest(resting->stream);
    loop_turn(usual->loop, false);
    say(usual, "a");
    CHECK(stream_is_alive(resting->stream));
    say(resting, "b");
    usual->other = resting;
    loop_turn(usual->loop, true);
    CHECK(usual->other_came_first);
    owner_leave(resting);
    owner_free(usual);
}

/* What came in the turn in which it began to rest is seen by a look at the socket; what came before
 * a later turn, by that turn. */
TEST(a_stream_at_rest_is_alive_until_something_comes)
{
    struct owner *o = owner_new();

    stream_rest(o->stream);
    CHECK(stream_is_alive(o->stream));
    say(o, "x");
    CHECK(!stream_is_alive(o->stream));
    o->take = 0;
    loop_turn(o->loop, true);
    CHECK(!stream_is_alive(o->stream));
    stream_wake(o->stream);
    CHECK(!stream_is_alive(o->stream));
    owner_free(o);
}

/* More events than libevent takes at once: those of the stream at rest come last, if others came
 * first, and those who are shown something before them must not believe that it is silent. */
TEST(a_stream_at_rest_is_looked_at_in_a_turn_of_many_events)
{
    enum { MANY = 100 };
    struct owner *resting = owner_new(), *usual[MANY];
    int believers = 0;

    resting->take = 0; /* what has come stays */
    stream_rest(resting->stream);
    for (int i = 0; i < MANY; i++) {
        usual[i] = owner_in(resting->loop, stream_new_plain);
        usual[i]->other = resting;
        usual[i]->pause_after = true;
    }
    loop_turn(resting->loop, false);
    for (int i = 0; i < MANY; i++)
        say(usual[i], "a");
    say(resting, "b");
    loop_turn(resting->loop, true);
    for (int i = 0; i < MANY; i++) {
        believers += usual[i]->other_was_alive ? 1 : 0;
        owner_leave(usual[i]);
    }
    CHECK_INT(believers, 0, "none took it for silent");
    owner_free(resting);
}

/* A loop that has had many events at once takes more of them the next time, and knows that. */
TEST(a_loop_learns_how_many_events_it_takes)
{
    enum { MANY = 100, TURNS = 20 };
    struct owner *all[MANY];
    struct loop *loop = loop_new();
    int whole = 0;

    for (int i = 0; i < MANY; i++)
        all[i] = owner_in(loop, stream_new_plain);
    for (int turn = 0; turn < TURNS; turn++) {
        for (int i = 0; i < MANY; i++)
            say(all[i], "a");
        loop_turn(loop, true);
        whole += loop_saw_all(loop) ? 1 : 0;
    }
    CHECK(whole >= TURNS / 2 && whole <= TURNS - 2); /* not in the first two: 32, then 64 */
    for (int i = 1; i < MANY; i++)
        owner_leave(all[i]);
    owner_free(all[0]);
}

TEST(an_accepted_stream_shows_what_has_come)
{
    struct owner *o = owner_in(loop_new(), stream_new_accepted);

    o->pause_after = true;
    say(o, "abc");
    CHECK_INT(o->got.n, 0, "not inside the call");
    loop_turn(o->loop, true);
    CHECK_SLICE(buf_slice(&o->got), "abc", "when the turn ends");
    say(o, "d");
    loop_turn(o->loop, false);
    CHECK_SLICE(buf_slice(&o->got), "abc", "paused");
    stream_resume(o->stream);
    loop_turn(o->loop, true);
    CHECK_SLICE(buf_slice(&o->got), "abcd", "resumed");
    owner_free(o);
}

/* It is not in the loop, so that only a look each second can tell. */
TEST(an_accepted_stream_of_which_nothing_is_expected_tells_of_a_reset)
{
    struct owner *o = owner_in(loop_new(), stream_new_accepted);

    stream_notice_reset(o->stream);
    o->expects_nothing = true;
    say(o, "abc");
    loop_turn(o->loop, true);
    CHECK_SLICE(buf_slice(&o->got), "abc", "read");
    (void)stream_write_bytes(o->stream, "unread", 6);
    close_peer(o);
    while (o->breaks == 0)
        loop_turn(o->loop, true);
    CHECK_INT(o->ends, 0, "it was no end");
    owner_free(o);
}

TEST(an_end_is_told_though_something_is_left)
{
    struct owner *o = owner_new();

    o->take = 1;
    say(o, "abc");
    close_peer(o);
    while (o->ends == 0)
        loop_turn(o->loop, true);
    CHECK_SLICE(buf_slice(&o->got), "ab", "one byte of each that was shown");
    CHECK_INT(o->ends, 1, "told");
    owner_free(o);
}

/* Of a Unix socket one comes when the other end closes without having read. A peer that says so has
 * not vanished, whether or not that would be noticed. */
TEST(a_reset_breaks_reading)
{
    static const int64_t patience[] = {0, 60000};

    for (size_t i = 0; i < ARRAY_LEN(patience); i++) {
        struct owner *o = owner_new();
        stream_notice_vanishing(o->stream, patience[i]);
        (void)stream_write_bytes(o->stream, "x", 1);
        close_peer(o);
        loop_turn(o->loop, true);
        CHECK_INT(o->breaks, 1, "told");
        CHECK_INT(o->ends, 0, "no end");
        CHECK_INT(o->why.id, FAIL_UPSTREAM_CLOSED, "reset");
        CHECK_CONTAINS(o->why.detail.text, "reset");
        owner_free(o);
    }
}

TEST(another_owner_gets_what_is_left)
{
    struct owner *o = owner_new();
    struct owner second = {.loop = o->loop, .stream = o->stream, .take = SIZE_MAX};

    o->take = 1;
    say(o, "abc");
    loop_turn(o->loop, true);
    stream_set_handler(o->stream, &handler, &second);
    loop_turn(o->loop, false);
    CHECK_SLICE(buf_slice(&second.got), "bc", "the rest");
    buf_free(&second.got);
    owner_free(o);
}

/* ---- TLS that begins in the middle ---- */

/* A TLS client whose bytes the test carries to and fro. */
static SSL *client_new(SSL_CTX **context)
{
    *context = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(*context);
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(ssl);
    return ssl;
}

static SSL_CTX *server_new(void)
{
    static const struct issue_spec spec = {
        .common_name = "here", .organization = "test", .for_server = true, .days = 1};
    struct credential *c = NULL;
    SSL_CTX *context = NULL;
    struct diag why;

    CHECK_INT(issue_credential(&spec, NULL, &c, &why), ST_OK, "issued");
    CHECK_INT(tls_server_open(c, &context, &why), ST_OK, "opened");
    credential_unref(c);
    return context;
}

struct starter {
    struct owner owner; /* first: the pointers convert */
    SSL_CTX *context;
    bool started, readied;
};

static void on_ready(void *ctx)
{
    ((struct starter *)ctx)->readied = true;
}

/* Everything before the first 0x16 is plain. */
static size_t start_in_data(void *ctx, const char *p, size_t n)
{
    struct starter *s = ctx;
    const char *hello = s->started ? NULL : memchr(p, 0x16, n);

    if (hello == NULL)
        return on_data(ctx, p, n);
    size_t used = on_data(ctx, p, (size_t)(hello - p));
    SSL *ssl = SSL_new(s->context);
    SSL_set_accept_state(ssl);
    s->started = true;
    stream_start_tls(s->owner.stream, ssl, "the caller", (struct slice){hello, n - used});
    return n;
}

static void carry(SSL *client, struct owner *o)
{
    char room[65536];
    int n = BIO_read(SSL_get_wbio(client), room, sizeof(room));

    if (n > 0)
        CHECK_INT(write(o->peer, room, (size_t)n), n, "written");
    loop_turn(o->loop, false);
    ssize_t got = recv(o->peer, room, sizeof(room), MSG_DONTWAIT);
    if (got > 0)
        (void)BIO_write(SSL_get_rbio(client), room, (int)got);
}

static const struct stream_handler starting = {.on_ready = on_ready,
                                               .on_data = start_in_data,
                                               .on_end = on_end,
                                               .on_drained = on_drained,
                                               .on_broken = on_broken,
                                               .on_write_broken = on_write_broken};

/* Both ends of TLS, with the handshake done. */
struct pair {
    struct starter s;
    SSL_CTX *context;
    SSL *client;
};

static void pair_begin(struct pair *p)
{
    struct owner *plain = owner_new();

    *p = (struct pair){.s = {.owner = *plain, .context = server_new()}};
    free(plain);
    p->client = client_new(&p->context);
    stream_set_handler(p->s.owner.stream, &starting, &p->s);
    say(&p->s.owner, "plain");
    (void)SSL_do_handshake(p->client);
    carry(p->client, &p->s.owner); /* the hello comes right behind, in one read with it */
    for (int i = 0; i < 20 && SSL_do_handshake(p->client) != 1; i++)
        carry(p->client, &p->s.owner);
    CHECK_INT(SSL_is_init_finished(p->client), 1, "the client's handshake");
    for (int i = 0; i < 5; i++)
        carry(p->client, &p->s.owner);
}

static void pair_end(struct pair *p)
{
    struct owner *o = &p->s.owner;

    stream_close(o->stream, STREAM_ABORT);
    loop_turn(o->loop, false);
    (void)close(o->peer);
    loop_free(o->loop);
    buf_free(&o->got);
    SSL_free(p->client);
    SSL_CTX_free(p->context);
    SSL_CTX_free(p->s.context);
}

TEST(tls_begins_with_bytes_that_were_shown_already)
{
    struct pair p;

    pair_begin(&p);
    CHECK(p.s.started && p.s.readied && !stream_has_unread(p.s.owner.stream));
    CHECK_SLICE(buf_slice(&p.s.owner.got), "plain", "what came before TLS");
    pair_end(&p);
}

/* Says new keys, 27 bytes each, and asks for none. */
static void say_keys(SSL *client, int count)
{
    for (int i = 0; i < count; i++)
        CHECK(SSL_key_update(client, SSL_KEY_UPDATE_NOT_REQUESTED) == 1 &&
              SSL_do_handshake(client) == 1);
}

/* A byte of data makes up for 64. Nothing has to be answered here. */
TEST(messages_of_tls_without_end_break_a_stream_if_hardly_any_data_is_beside_them)
{
    static const struct {
        int data, breaks;
    } rows[] = {{0, 1}, {20, 1}, {200, 0}};
    static const char text[200];

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct pair p;
        pair_begin(&p);
        for (int n = 0; n < 60 && p.s.owner.breaks == 0; n++) {
            say_keys(p.client, 250);
            if (rows[i].data > 0)
                CHECK_INT(SSL_write(p.client, text, rows[i].data), rows[i].data, "written");
            carry(p.client, &p.s.owner);
        }
        CHECK_INT(p.s.owner.breaks, rows[i].breaks, "broken");
        if (rows[i].breaks > 0)
            CHECK_CONTAINS(p.s.owner.why.detail.text, "messages of TLS without end");
        pair_end(&p);
    }
}

/* Else a peer with large portions of them would keep its worker from the others. */
TEST(what_is_hardly_any_data_is_read_once_a_turn)
{
    enum { PIECES = 8 };
    struct pair p;

    pair_begin(&p);
    size_t before = p.s.owner.got.n;
    for (int i = 0; i < PIECES; i++) {
        say_keys(p.client, 300);
        CHECK_INT(SSL_write(p.client, "a", 1), 1, "written");
    }
    carry(p.client, &p.s.owner);
    CHECK_MSG(p.s.owner.got.n < before + PIECES, "more than one portion of 32 KiB was read");
    while (p.s.owner.got.n < before + PIECES)
        loop_turn(p.s.owner.loop, true);
    pair_end(&p);
}
