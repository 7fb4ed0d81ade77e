#include "net/dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/name_service.h"

enum { NEXT_ATTEMPT_MS = 250 };

struct attempt {
    struct dial *dial;
    int fd; /* -1: not begun, or failed */
    struct event connected;
};

struct dial {
    struct loop *loop;
    char *host;
    int port;
    dial_done *done;
    void *ctx;
    bool ended;
    struct lookup *lookup;
    struct resolved to;
    int begun, pending;
    struct attempt attempts[RESOLVE_MAX];
    struct timer deadline, next;
    struct task begin;
    bool (*permits)(const struct address *a); /* NULL: all addresses are permitted */
    struct way_times *way;                    /* NULL: not wanted */
    /* when the current part (lookup or connection) began */
    int64_t since_us;
    struct failure why; /* the most informative failure so far */
};

static void release(void *arg)
{
    struct dial *d = arg;

    free(d->host);
    free(d);
}

static void drop_attempt(struct attempt *a)
{
    if (a->fd < 0)
        return;
    (void)event_del(&a->connected);
    (void)close(a->fd);
    a->fd = -1;
}

void dial_cancel(struct dial *d)
{
    if (d->ended)
        return;
    d->ended = true;
    if (d->lookup != NULL)
        lookup_cancel(d->lookup);
    for (int i = 0; i < d->begun; i++)
        drop_attempt(&d->attempts[i]);
    timer_stop(&d->deadline);
    timer_stop(&d->next);
    task_cancel(&d->begin);
    loop_bury(d->loop, d, release);
}

/* Notes the time of the part that is over. */
static void note_time(struct dial *d, bool lookup)
{
    if (d->way == NULL)
        return;
    int64_t now = clock_monotonic_us();
    *(lookup ? &d->way->dns : &d->way->connect) = now - d->since_us;
    d->since_us = now;
}

static void end(struct dial *d, int fd)
{
    if (d->lookup != NULL || d->begun > 0)
        note_time(d, d->lookup != NULL);
    dial_cancel(d);
    d->done(d->ctx, fd, fd >= 0 ? NULL : &d->why);
}

/* Of several failures, the one with the greatest weight is reported. */
static int weight(enum fail id)
{
    return id == FAIL_SHORTAGE          ? 4
           : id == FAIL_CONNECT_REFUSED ? 3
           : id == FAIL_CONNECT_TIMEOUT ? 2
           : id == FAIL_NONE            ? 0
                                        : 1;
}

static void note_failure(struct dial *d, const struct address *at, int error)
{
    char text[ADDRESS_TEXT_SIZE];
    enum fail id = address_is_shortage(error)                     ? FAIL_SHORTAGE
                   : error == ECONNREFUSED || error == ECONNRESET ? FAIL_CONNECT_REFUSED
                   : error == ETIMEDOUT                           ? FAIL_CONNECT_TIMEOUT
                                                                  : FAIL_CONNECT_UNREACHABLE;

    address_text(at, text);
    if (weight(id) > weight(d->why.id))
        failure_set(&d->why, id, "%s (%s) could not be reached: %s.", d->host, text,
                    strerror(error));
}

static void note_forbidden(struct dial *d, const struct address *at)
{
    char text[ADDRESS_TEXT_SIZE];

    address_text(at, text);
    if (weight(FAIL_CONNECT_ADDRESS) > weight(d->why.id))
        failure_set(&d->why, FAIL_CONNECT_ADDRESS,
                    "%s resolves to %s, which is of this machine or a private network.", d->host,
                    text);
}

static void begin_next(struct dial *d);

static void on_connected(evutil_socket_t fd, short what, void *arg)
{
    struct attempt *a = arg;
    struct dial *d = a->dial;
    int error = 0;
    socklen_t size = sizeof(error);

    (void)what;
    (void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error == 0) {
        (void)event_del(&a->connected);
        a->fd = -1;
        end(d, fd);
        return;
    }
    note_failure(d, &d->to.addresses[a - d->attempts], error);
    drop_attempt(a);
    d->pending--;
    begin_next(d);
}

static bool begin_attempt(struct dial *d, struct attempt *a, const struct address *to)
{
    int on = 1;

    a->dial = d;
    a->fd = socket(to->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (a->fd < 0) {
        note_failure(d, to, errno);
        return false;
    }
    (void)setsockopt(a->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(a->fd, &to->any, to->length) != 0 && errno != EINPROGRESS) {
        note_failure(d, to, errno);
        (void)close(a->fd);
        a->fd = -1;
        return false;
    }
    (void)event_assign(&a->connected, loop_base(d->loop), a->fd, EV_WRITE, on_connected, a);
    (void)event_add(&a->connected, NULL);
    d->pending++;
    return true;
}

static void begin_next(struct dial *d)
{
    timer_stop(&d->next);
    while (d->begun < d->to.count) {
        int i = d->begun++;
        if (d->permits != NULL && !d->permits(&d->to.addresses[i])) {
            d->attempts[i].fd = -1;
            note_forbidden(d, &d->to.addresses[i]);
            continue;
        }
        if (begin_attempt(d, &d->attempts[i], &d->to.addresses[i])) {
            if (d->begun < d->to.count)
                timer_start(d->loop, &d->next, NEXT_ATTEMPT_MS);
            return;
        }
    }
    if (d->pending == 0)
        end(d, -1);
}

static void on_next(void *ctx)
{
    begin_next(ctx);
}

static void on_deadline(void *ctx)
{
    struct dial *d = ctx;
    struct diag blocked;

    if (d->lookup != NULL && name_service_is_blocked(&blocked))
        failure_set(&d->why, FAIL_NAME_TIMEOUT, "The name %s was not resolved in time: %s.",
                    d->host, blocked.text);
    else if (d->lookup != NULL)
        failure_set(&d->why, FAIL_NAME_TIMEOUT, "The name %s was not resolved in time.", d->host);
    else
        failure_set(&d->why, FAIL_CONNECT_TIMEOUT,
                    "%s port %d did not take the connection in time.", d->host, d->port);
    end(d, -1);
}

static void on_resolved(void *ctx, const struct resolved *found, const struct failure *why)
{
    struct dial *d = ctx;

    d->lookup = NULL;
    note_time(d, true);
    if (found == NULL) {
        d->why = *why;
        end(d, -1);
        return;
    }
    d->to = *found;
    begin_next(d);
}

static void on_begin(void *ctx)
{
    begin_next(ctx);
}

void dial_measure(struct dial *d, struct way_times *way)
{
    d->way = way;
    d->since_us = clock_monotonic_us();
}

void dial_confine(struct dial *d, bool (*permits)(const struct address *a))
{
    d->permits = permits;
}

struct dial *dial_start(struct loop *l, struct resolver *r, const char *host, int port,
                        int64_t timeout_ms, dial_done *done, void *ctx)
{
    struct dial *d = NEW(struct dial);

    d->loop = l;
    d->host = mem_copy_string(host);
    d->port = port;
    d->done = done;
    d->ctx = ctx;
    timer_init(&d->deadline, on_deadline, d);
    timer_init(&d->next, on_next, d);
    task_init(&d->begin, on_begin, d);
    timer_start(l, &d->deadline, timeout_ms);
    if (resolver_knows(r, host, port, &d->to))
        task_defer(l, &d->begin);
    else
        d->lookup = resolver_lookup(r, host, port, on_resolved, d);
    return d;
}
