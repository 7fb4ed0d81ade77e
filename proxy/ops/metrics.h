/*
 * metrics: counters for /metrics.
 *
 * Each worker counts for itself, without a lock or a locked instruction.
 * metrics_add_up() adds the counters of all workers. Counters live until the
 * process ends, also those of a tenant that is not configured any more. The
 * labels of a metric are names that were configured at some time, and words of
 * the tables of failures and causes.
 */
#ifndef OPS_METRICS_H
#define OPS_METRICS_H

#include "caller/record.h"
#include "sf/cause.h"

struct metrics;

struct metrics *metrics_new(void);
void metrics_free(struct metrics *m); /* NULL is allowed; call it after the last record */

/* Counts an exchange that is over. Any worker's thread. */
void metrics_note(struct metrics *m, const struct record *r);

/* ---- for readers ---- */

enum {
    METRICS_BOUNDS = 16, /* buckets of a histogram, except the last, +Inf */
    METRICS_CODES = 600, /* statuses */
};

/* The upper bounds of the buckets, in microseconds. */
extern const int64_t metrics_bounds[METRICS_BOUNDS];

struct metrics_histogram {
    uint64_t buckets[METRICS_BOUNDS + 1]; /* each without the counts of those before it */
    uint64_t sum_us;
};

struct metrics_sum {
    const char *tenant; /* empty: exchanges of no tenant */
    uint64_t codes[METRICS_CODES];
    uint64_t failures[FAIL_COUNT], hints[CAUSE_COUNT];
    struct metrics_histogram duration, handshake[2]; /* handshake[1]: of resumed sessions */
};

/* One sum for each tenant that was called, sorted by name, and always one for exchanges of no
 * tenant. Free the result with free(). */
struct metrics_sum *metrics_add_up(const struct metrics *m, size_t *count);

#endif
