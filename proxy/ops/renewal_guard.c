#include "ops/renewal_guard.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "ops/harden.h"
#include "ops/renewal_record.h"

enum { LEAST_PAUSE_S = 1, LONGEST_PAUSE_S = 60, WELL_S = 600 };

typedef enum status load_fn(void *ctx, struct config **out, struct diag *why);

static void become_keeper(pid_t guard, load_fn *load, void *ctx)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    harden_again();
    if (getppid() == guard)
        renewal_keep(load, ctx);
    _exit(0);
}

/* Runs the keeper. Returns its status as waitpid() does; -1: it could not be started. */
static int keep(load_fn *load, void *ctx)
{
    pid_t guard = getpid(), child = fork();
    int status = -1;

    if (child == 0)
        become_keeper(guard, load, ctx);
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return status;
}

static void tell(int status, int pause)
{
    struct renewal_record r = {.mark = RENEWAL_MARK, .outcome = RENEWAL_NOTICE};

    if (status == -1)
        (void)snprintf(r.sentence, sizeof(r.sentence),
                       "cannot be started; it is tried again in %d s", pause);
    else
        (void)snprintf(r.sentence, sizeof(r.sentence),
                       "has ended (%s %d); it is started again in %d s",
                       WIFSIGNALED(status) ? "signal" : "exit status",
                       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), pause);
    (void)!send(RENEWAL_FD, &r, sizeof(r), MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* The process that serves handles the signals, so they are ignored here. SIGCHLD was ignored there,
 * but here the child is waited for. */
static void set_signals(void)
{
    static const int ignored[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGPIPE, SIGQUIT};
    sigset_t none;

    for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
        (void)signal(ignored[i], SIG_IGN);
    (void)signal(SIGCHLD, SIG_DFL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

void renewal_guard(load_fn *load, void *ctx)
{
    struct pollfd other = {.fd = RENEWAL_FD}; /* POLLHUP: the process that serves has ended */
    int pause = LEAST_PAUSE_S;

    set_signals();
    /* otherwise it would be called "exe", after /proc/self/exe */
    (void)prctl(PR_SET_NAME, "sfmtls-renew");
    for (;;) {
        int64_t begun = clock_monotonic_us();
        int status = keep(load, ctx);
        if (status == 0)
            return; /* the process that serves has ended */
        if (clock_monotonic_us() - begun > (int64_t)WELL_S * 1000000)
            pause = LEAST_PAUSE_S;
        tell(status, pause);
        if (poll(&other, 1, pause * 1000) > 0)
            return;
        pause = pause * 2 < LONGEST_PAUSE_S ? pause * 2 : LONGEST_PAUSE_S;
    }
}
