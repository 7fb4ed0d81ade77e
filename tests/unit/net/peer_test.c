#include "net/peer.h"

#include <unistd.h>

#include "test.h"

struct pair {
    int listener, caller, accepted;
    struct address from, to;
};

/* The caller comes from that address, too. */
static void open_pair(struct pair *p, const char *any_port)
{
    struct address at, any;
    struct diag why;

    CHECK(address_parse(any_port, &at, &why) == ST_OK);
    any = at;
    p->listener = socket(at.any.sa_family, SOCK_STREAM, 0);
    CHECK(bind(p->listener, &at.any, at.length) == 0 && listen(p->listener, 1) == 0);
    CHECK(getsockname(p->listener, &at.any, &at.length) == 0);
    p->to = at;
    p->caller = socket(at.any.sa_family, SOCK_STREAM, 0);
    CHECK(bind(p->caller, &any.any, any.length) == 0);
    CHECK(connect(p->caller, &at.any, at.length) == 0);
    p->from.length = sizeof(p->from.storage);
    p->accepted = accept(p->listener, &p->from.any, &p->from.length);
    CHECK(p->accepted >= 0);
}

static void close_pair(struct pair *p)
{
    (void)close(p->listener);
    (void)close(p->accepted);
    if (p->caller >= 0)
        (void)close(p->caller);
}

static void ask(struct peer_asker *asker, const struct pair *p, const struct address *to,
                struct peer *out)
{
    peer_ask(asker, &(struct newcomer){p->accepted, &p->from, to}, 1, out);
}

static const char *const places[] = {"127.0.0.1:0", "127.1.2.3:0", "[::1]:0"};

TEST(peer_is_the_user_who_holds_the_socket)
{
    struct peer_asker *asker = peer_asker_new();

    CHECK(peer_asker_works(asker));
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        struct pair p;
        struct peer found;
        open_pair(&p, places[i]);
        for (int again = 0; again < 3; again++) {
            ask(asker, &p, NULL, &found);
            CHECK_INT(found.kind, PEER_TOLD, places[i]);
            CHECK_INT(found.uid, geteuid(), places[i]);
        }
        ask(asker, &p, &p.to, &found);
        CHECK_INT(found.kind, PEER_TOLD, "by the listener's address");
        (void)shutdown(p.caller, SHUT_WR);
        ask(asker, &p, NULL, &found);
        CHECK_INT(found.kind, PEER_TOLD, "half-closed");
        (void)close(p.caller);
        p.caller = -1;
        ask(asker, &p, NULL, &found);
        CHECK_INT(found.kind, PEER_UNTOLD, "closed");
        (void)shutdown(p.accepted, SHUT_WR);
        ask(asker, &p, NULL, &found);
        CHECK_INT(found.kind, PEER_UNTOLD, "closed on both sides");
        close_pair(&p);
    }
    peer_asker_free(asker);
}

/* The listener of somebody on the caller's port is not the caller. */
TEST(peer_is_not_who_listens_on_the_caller_s_port)
{
    struct peer_asker *asker = peer_asker_new();
    struct pair p, other;
    struct address from = {.length = sizeof(from.storage)};
    struct linger at_once = {1, 0};
    struct peer found;
    int on = 1;

    open_pair(&p, "127.9.8.7:0"); /* where nobody else takes the port meanwhile */
    CHECK(getsockname(p.caller, &from.any, &from.length) == 0);
    (void)setsockopt(p.caller, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    (void)close(p.caller);
    p.caller = -1;
    other.listener = socket(AF_INET, SOCK_STREAM, 0);
    (void)setsockopt(other.listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    CHECK(bind(other.listener, &from.any, from.length) == 0 && listen(other.listener, 1) == 0);
    ask(asker, &p, NULL, &found);
    CHECK_INT(found.kind, PEER_UNTOLD, "reset");
    (void)close(other.listener);
    close_pair(&p);
    peer_asker_free(asker);
}

TEST(peer_of_a_unix_socket_is_told)
{
    struct peer_asker *asker = peer_asker_new();
    struct peer found;
    int pair[2];

    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    peer_ask(asker, &(struct newcomer){pair[0], &(struct address){.any.sa_family = AF_UNIX}, NULL},
             1, &found);
    CHECK_INT(found.kind, PEER_TOLD, "pair");
    CHECK_INT(found.uid, geteuid(), "pair");
    (void)close(pair[0]);
    (void)close(pair[1]);
    peer_asker_free(asker);
}

/* Some of them have closed, and some came by a Unix socket. */
TEST(each_of_many_gets_its_own_answer)
{
    struct peer_asker *asker = peer_asker_new();
    struct address local = {.any.sa_family = AF_UNIX};
    int unix_pair[2];

    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, unix_pair) == 0);
    for (size_t n = 0; n <= PEER_MAX_AT_ONCE; n++) {
        struct pair pairs[PEER_MAX_AT_ONCE];
        struct newcomer all[PEER_MAX_AT_ONCE];
        struct peer found[PEER_MAX_AT_ONCE];
        for (size_t i = 0; i < n; i++) {
            open_pair(&pairs[i], places[i % ARRAY_LEN(places)]);
            all[i] = (struct newcomer){pairs[i].accepted, &pairs[i].from,
                                       i % 2 == 0 ? NULL : &pairs[i].to};
            if (i % 5 == n % 5)
                all[i] = (struct newcomer){unix_pair[0], &local, NULL};
            if (i % 4 == n % 4) {
                (void)close(pairs[i].caller);
                pairs[i].caller = -1;
            }
        }
        peer_ask(asker, all, n, found);
        for (size_t i = 0; i < n; i++) {
            bool told = pairs[i].caller >= 0 || all[i].fd == unix_pair[0];
            CHECK_INT(found[i].kind, told ? PEER_TOLD : PEER_UNTOLD, places[i % ARRAY_LEN(places)]);
            CHECK(address_is_same_host(&found[i].from, all[i].from) || all[i].fd == unix_pair[0]);
            close_pair(&pairs[i]);
        }
    }
    (void)close(unix_pair[0]);
    (void)close(unix_pair[1]);
    peer_asker_free(asker);
}
