#include "ops/process_facts.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/mem.h"

struct process_asker {
    int memory; /* -1: cannot be read */
    DIR *fds;   /* NULL: cannot be read */
};

struct process_asker *process_asker_new(void)
{
    struct process_asker *p = NEW(struct process_asker);

    p->memory = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    p->fds = opendir("/proc/self/fd");
    return p;
}

void process_asker_free(struct process_asker *p)
{
    if (p == NULL)
        return;
    if (p->memory >= 0)
        (void)close(p->memory);
    if (p->fds != NULL)
        (void)closedir(p->fds);
    free(p);
}

static int64_t us_of(struct timeval t)
{
    return (int64_t)t.tv_sec * 1000000 + t.tv_usec;
}

static int64_t cpu_us(void)
{
    struct rusage used;

    return getrusage(RUSAGE_SELF, &used) == 0 ? us_of(used.ru_utime) + us_of(used.ru_stime) : -1;
}

static int64_t count_fds(DIR *fds)
{
    int64_t n = 0;

    if (fds == NULL)
        return -1;
    rewinddir(fds);
    for (const struct dirent *e; (e = readdir(fds)) != NULL;)
        n += e->d_name[0] != '.';
    return n;
}

static int64_t most_fds(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
        return -1;
    return (int64_t)limit.rlim_cur;
}

/* The first two numbers are all pages and the resident pages (proc(5)). */
static void ask_memory(const struct process_asker *p, struct process_facts *out)
{
    char text[128], *rest;
    ssize_t n = p->memory < 0 ? -1 : pread(p->memory, text, sizeof(text) - 1, 0);

    out->virtual_bytes = out->resident_bytes = -1;
    if (n <= 0)
        return;
    text[n] = '\0';
    out->virtual_bytes = strtoll(text, &rest, 10) * sysconf(_SC_PAGESIZE);
    out->resident_bytes = strtoll(rest, NULL, 10) * sysconf(_SC_PAGESIZE);
}

void process_ask(struct process_asker *p, struct process_facts *out)
{
    out->cpu_us = cpu_us();
    out->open_fds = count_fds(p->fds);
    out->max_fds = most_fds();
    ask_memory(p, out);
}
