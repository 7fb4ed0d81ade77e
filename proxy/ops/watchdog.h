/*
 * watchdog: reports to systemd that the loop is alive, twice in the time that WatchdogSec= of the
 * unit gives (WATCHDOG_USEC; see sd_watchdog_enabled(3)). systemd ends a process that does not.
 */
#ifndef OPS_WATCHDOG_H
#define OPS_WATCHDOG_H

#include "net/loop.h"

struct watchdog {
    struct loop *loop;
    struct timer timer;
    int64_t every_ms; /* 0: nobody waits for it */
};

/* From the loop's thread; w must outlive the loop's run or watchdog_stop(). */
void watchdog_start(struct watchdog *w, struct loop *l);
void watchdog_stop(struct watchdog *w);

#endif
