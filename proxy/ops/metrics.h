/*
 * metrics: counts of what was served, for /metrics.
 *
 * Each worker counts for itself, without a lock and without an instruction that
 * locks the bus; whoever asks adds up (metrics_add_up()). What was counted stays
 * until the end of the process, also of a tenant that is configured no more:
 * the labels of a metric are the names that ever were configured, and the words
 * of the tables of failures and causes.
 */
#ifndef OPS_METRICS_H
#define OPS_METRICS_H

#include "caller/record.h"
#include "sf/cause.h"

struct metrics;

struct metrics *metrics_new(void);
void metrics_free(struct metrics *m); /* NULL is allowed; after the last record */

/* An exchange is over. Any worker's thread. */
void metrics_note(struct metrics *m, const struct record *r);

/* ---- for whoever asks ---- */

enum {
    METRICS_BOUNDS = 16, /* of a histogram, without the last one, +Inf */
    METRICS_CODES = 600, /* statuses */
};

/* The upper bound of a bucket, in microseconds. */
extern const int64_t metrics_bounds[METRICS_BOUNDS];

struct metrics_histogram {
    uint64_t buckets[METRICS_BOUNDS + 1]; /* each without those before it */
    uint64_t sum_us;
};

struct metrics_sum {
    const char *tenant; /* "": of none */
    uint64_t codes[METRICS_CODES];
    uint64_t failures[FAIL_COUNT], hints[CAUSE_COUNT];
    struct metrics_histogram duration, handshake[2]; /* [1]: of resumed sessions */
};

/* One for each tenant that was called, sorted by name, and always one for none. The caller frees
 * the list. */
struct metrics_sum *metrics_add_up(const struct metrics *m, size_t *count);

#endif
