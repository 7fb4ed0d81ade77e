#include "base/thread.h"

#include <signal.h>

bool thread_start(pthread_t *out, void *(*run)(void *arg), void *arg)
{
    sigset_t all, old;

    (void)sigfillset(&all); /* the new thread inherits the mask, so it never takes a signal */
    (void)pthread_sigmask(SIG_BLOCK, &all, &old);
    bool started = pthread_create(out, NULL, run, arg) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
    return started;
}
