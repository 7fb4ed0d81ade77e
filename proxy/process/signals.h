/*
 * signals: reports SIGTERM, SIGINT, SIGHUP and SIGUSR1 by a loop.
 *
 * The signals stay blocked and are read from a descriptor (signalfd(2)). So
 * none is lost, and none interrupts a system call. A signal that comes before
 * the loop runs waits for it.
 */
#ifndef PROCESS_SIGNALS_H
#define PROCESS_SIGNALS_H

#include "net/loop.h"

struct signals;

/* The kernel gives the first process of a container (PID 1) no signal for which it has no handler.
 * After this call, SIGTERM and SIGINT end it nevertheless, with the exit status that shells use.
 * Any other process is left as it is. Call it first. */
void signals_end_first_process(void);

/* While the program starts, SIGHUP and SIGUSR1 wait until signals_watch(): whoever wants a reload
 * or another log file does not want to end the program. The other signals end it. */
void signals_hold(void);

/* Blocks the signals in the calling thread for good; all other threads have blocked all signals
 * (base/thread.h). run gets the signal's number in the loop's thread. NULL, with errno: no
 * descriptor is left. */
struct signals *signals_watch(struct loop *l, void (*run)(void *ctx, int number), void *ctx);

/* NULL is allowed. The signals stay blocked, so that none kills the process at its very end, while
 * files are being removed. */
void signals_free(struct signals *s);

#endif
