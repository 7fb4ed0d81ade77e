/*
 * access_log: one line for each exchange. It never holds a secret, a body or a
 * query. The configuration decides how much it shows of the path and of the
 * caller.
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
    bool caller; /* the line names the caller */
};

/* Appends the line, without a line end. */
void access_log_format(struct buf *out, const struct access_log *l, const struct record *r);

/* The record_hook. ctx: a struct access_log. Any worker's thread. */
void access_log_write(void *ctx, const struct record *r);

#endif
