#include "process/signals.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/mem.h"
#include "base/status.h"

enum { SHELL_SIGNALLED = 128 };

struct signals {
    struct event readable;
    int fd;
    void (*run)(void *ctx, int number);
    void *ctx;
};

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
    struct signals *s = arg;
    struct signalfd_siginfo one;

    (void)what;
    while (read(fd, &one, sizeof(one)) == sizeof(one))
        s->run(s->ctx, (int)one.ssi_signo);
}

static void end_process(int number)
{
    _exit(SHELL_SIGNALLED + number);
}

void signals_end_first_process(void)
{
    if (getpid() != 1)
        return;
    (void)signal(SIGTERM, end_process);
    (void)signal(SIGINT, end_process);
}

void signals_hold(void)
{
    sigset_t held;

    (void)sigemptyset(&held);
    (void)sigaddset(&held, SIGHUP);
    (void)sigaddset(&held, SIGUSR1);
    (void)pthread_sigmask(SIG_BLOCK, &held, NULL);
}

struct signals *signals_watch(struct loop *l, void (*run)(void *ctx, int number), void *ctx)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
    struct signals *s = NEW(struct signals);
    sigset_t watched;

    (void)sigemptyset(&watched);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        (void)sigaddset(&watched, numbers[i]);
    (void)pthread_sigmask(SIG_BLOCK, &watched, NULL);
    *s = (struct signals){
        .fd = signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK), .run = run, .ctx = ctx};
    if (s->fd < 0) {
        free(s);
        return NULL;
    }
    (void)event_assign(&s->readable, loop_base(l), s->fd, EV_READ | EV_PERSIST, on_readable, s);
    (void)event_add(&s->readable, NULL);
    return s;
}

void signals_free(struct signals *s)
{
    if (s == NULL)
        return;
    (void)event_del(&s->readable);
    (void)close(s->fd);
    free(s);
}
