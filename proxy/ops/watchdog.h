/*
 * watchdog: reports to systemd that the loop is alive, twice in the time of
 * WatchdogSec= (WATCHDOG_USEC, see sd_watchdog_enabled(3)). systemd kills a
 * process that does not report.
 */
#ifndef OPS_WATCHDOG_H
#define OPS_WATCHDOG_H

#include "net/loop.h"

struct watchdog {
    struct loop *loop;
    struct timer timer;
    int64_t every_ms; /* 0: nobody waits for reports */
};

/* Call it in the loop's thread. w must live until the loop has ended, or until watchdog_stop(). */
void watchdog_start(struct watchdog *w, struct loop *l);
void watchdog_stop(struct watchdog *w);

#endif
