/*
 * metrics_text: what `admin` reports at /metrics, in Prometheus' text format
 * (version 0.0.4).
 */
#ifndef OPS_METRICS_TEXT_H
#define OPS_METRICS_TEXT_H

#include "ops/metrics.h"
#include "ops/process_facts.h"
#include "ops/status.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Call it in the thread of the worker whose clients these are. */
void metrics_write(struct buf *b, const struct metrics *m, const struct status_facts *f,
                   const struct process_facts *process, const struct clients *clients);

#endif
