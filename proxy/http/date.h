/*
 * date: reads and writes times in fields (RFC 9110, 5.6.7 and 10.2.3). Pure.
 */
#ifndef HTTP_DATE_H
#define HTTP_DATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* Reads an HTTP-date in any of its three forms, as seconds since 1970. False: it is not a date. */
bool date_read(struct slice value, int64_t *seconds);

/* Appends that time, in seconds since 1970, as an HTTP-date. Its names are English in every locale.
 */
void date_write(struct buf *out, int64_t seconds);

/* Reads the value of Retry-After as seconds from now; 0 for a time in the past. now: seconds since
 * 1970. False: it is neither a number nor a date. */
bool date_read_retry_after(struct slice value, int64_t now, int64_t *seconds);

#endif
