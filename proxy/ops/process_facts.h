/*
 * process_facts: what the kernel says about this process, under the names that
 * Prometheus' own client libraries use.
 */
#ifndef OPS_PROCESS_FACTS_H
#define OPS_PROCESS_FACTS_H

#include <stdint.h>

struct process_facts {
    int64_t cpu_us;
    int64_t open_fds, max_fds; /* -1: not known, or no limit */
    int64_t virtual_bytes, resident_bytes;
};

struct process_asker;

/* Opens the files of proc(5) that are read later. Call it before the sandbox, which forbids opening
 * them. */
struct process_asker *process_asker_new(void);
void process_asker_free(struct process_asker *p); /* NULL is allowed */

/* Only one thread at a time. */
void process_ask(struct process_asker *p, struct process_facts *out);

#endif
