#include "ops/watchdog.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/slice.h"
#include "ops/notify.h"

static void on_time(void *ctx)
{
    struct watchdog *w = ctx;

    notify_systemd("WATCHDOG=1");
    timer_start(w->loop, &w->timer, w->every_ms);
}

/* Half of the allowed time, in milliseconds; 0: systemd does not watch this process. */
static int64_t interval(void)
{
    const char *pid_text = getenv("WATCHDOG_PID");
    uint64_t us, pid;

    if (!slice_to_u64(slice_of(getenv("WATCHDOG_USEC")), INT64_MAX, &us))
        return 0;
    if (pid_text != NULL &&
        (!slice_to_u64(slice_of(pid_text), UINT32_MAX, &pid) || pid != (uint64_t)getpid()))
        return 0;
    return us < 2000 ? 1 : (int64_t)(us / 2000);
}

void watchdog_start(struct watchdog *w, struct loop *l)
{
    w->loop = l;
    w->every_ms = interval();
    timer_init(&w->timer, on_time, w);
    if (w->every_ms > 0)
        timer_start(l, &w->timer, w->every_ms);
}

void watchdog_stop(struct watchdog *w)
{
    timer_stop(&w->timer);
}
