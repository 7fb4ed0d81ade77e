/*
 * access_log: one line for each exchange. Never a secret, a body, a query
 * value; of the path, and of who called, only as much as the configuration
 * allows.
 */
#ifndef OPS_ACCESS_LOG_H
#define OPS_ACCESS_LOG_H

#include "base/buf.h"
#include "base/log.h"
#include "caller/record.h"
#include "config/config.h"

struct access_log {
    enum log_format format;
    enum path_mode path_mode;
    bool caller; /* who called is told */
};

/* Appends the line, without a line end. */
void access_log_format(struct buf *out, const struct access_log *l, const struct record *r);

/* A record_hook; ctx is a struct access_log. Any worker's thread. */
void access_log_write(void *ctx, const struct record *r);

#endif
