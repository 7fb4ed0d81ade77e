#include "ops/descriptors.h"

#include <sys/resource.h>

#include "base/log.h"

/* OWN: for the log, files and lookups; for callers that are turned away; for admin. */
enum { OWN = 64 + 256 + 64, PER_WORKER = 8 };

void descriptors_raise(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* A tunnel (connect-allow) needs two. */
static int64_t needed(const struct config *c, int64_t *upstreams)
{
    int64_t workers = c->workers > 0 ? c->workers : 1;

    *upstreams = c->connect_other == CONNECT_TUNNEL ? c->max_connections : 0;
    for (size_t i = 0; i < c->ntenants; i++)
        *upstreams += c->tenants[i]->max_upstream;
    return c->max_connections + *upstreams + OWN + workers * PER_WORKER;
}

void descriptors_check(const struct config *c)
{
    struct rlimit limit;
    int64_t upstreams, all = needed(c, &upstreams);

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
        limit.rlim_cur >= (rlim_t)all)
        return;
    log_say(LOG_WARNING,
            "at most %llu files can be open, but max-connections (%lld) and the connections to "
            "servers (%lld) may need %lld; raise the limit (LimitNOFILE=, ulimit -Hn) or lower "
            "max-connections",
            (unsigned long long)limit.rlim_cur, (long long)c->max_connections, (long long)upstreams,
            (long long)all);
}
