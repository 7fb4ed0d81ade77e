/*
 * signals: SIGTERM, SIGINT, SIGHUP and SIGUSR1, told by a loop.
 *
 * They stay blocked and are read from a descriptor (signalfd(2)), so that none is lost and none
 * interrupts anything: one that comes before the loop turns waits for it, as does one while the
 * program ends.
 */
#ifndef PROCESS_SIGNALS_H
#define PROCESS_SIGNALS_H

#include "net/loop.h"

struct signals;

/* SIGHUP and SIGUSR1 wait until they are watched: whoever wants a reload, or another log, while the
 * program begins does not want its death. The others end it, as long as nothing is served. */
void signals_hold(void);

/* Blocks them in the calling thread, for good; other threads have all blocked (base/thread.h). run
 * is told the number. NULL, and errno: the system has no descriptor for us. */
struct signals *signals_watch(struct loop *l, void (*run)(void *ctx, int number), void *ctx);

/* NULL is allowed. They stay blocked: nobody dies at the very end, with files half removed. */
void signals_free(struct signals *s);

#endif
