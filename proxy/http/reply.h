/*
 * reply: writes the answers that the proxy itself makes. They are problem
 * documents (RFC 9457) and have Proxy-Status (RFC 9209), so that nobody takes
 * an error of the proxy for an error of the server.
 */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include "base/buf.h"
#include "base/fail.h"
#include "http/edit.h"

/* The reason phrase (RFC 9110, 15); "Unknown" for a status that this program never sends. */
const char *reply_reason(int status);

/* The methods that are passed on, as in Allow (RFC 9110, 10.2.1). */
#define REPLY_METHODS "GET, HEAD, POST, PUT, PATCH, MERGE, DELETE, OPTIONS"

struct reply {
    int status;
    const char *reason;       /* NULL: that of reply_reason() */
    const char *content_type; /* NULL: no content, as in a 204 */
    struct slice body;
    bool head_only; /* answers HEAD: the fields without the body */
    enum persistence persistence;
    const char *fields; /* more fields, each with CRLF; NULL: none */
    int64_t date_us;    /* for Date, in place of wall_us; 0: wall_us */
};

/* Appends a whole answer. wall_us: the time for Date, in microseconds since 1970. */
void reply_write(struct buf *out, const struct reply *r, int64_t wall_us);

/* Appends the proxy's own answer to OPTIONS (RFC 9110, 9.3.7). more: fields, each with CRLF; NULL:
 * none. */
void reply_options(struct buf *out, const char *more, enum persistence persistence,
                   int64_t wall_us);

/* Appends the answer for a failure that has a status. Its reason phrase is the failure's token,
 * because many clients show nothing else of the answer to a CONNECT. more: fields, each with CRLF;
 * NULL: none. */
void reply_problem(struct buf *out, const struct failure *f, const char *request_id, bool head_only,
                   enum persistence persistence, const char *more, int64_t wall_us);

#endif
