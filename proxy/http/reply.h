/*
 * reply: the answers that the proxy makes itself. They are problem documents
 * (RFC 9457) and carry Proxy-Status (RFC 9209), so that nobody takes an error
 * of the proxy for one of the server.
 */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include "base/buf.h"
#include "base/fail.h"
#include "http/edit.h"

/* The reason phrase of RFC 9110, 15; "Unknown" for a status this program never makes. */
const char *reply_reason(int status);

struct reply {
    int status;
    const char *reason;       /* NULL: that of RFC 9110 */
    const char *content_type; /* NULL: no content, as 204 has none */
    struct slice body;
    bool head_only; /* the answer to HEAD: the fields, no body */
    enum persistence persistence;
    const char *fields; /* further ones, each ended by CRLF; may be NULL */
    int64_t date_us;    /* what Date says instead of the time; 0: the time */
};

/* Appends a whole answer; wall_us is the time for Date. */
void reply_write(struct buf *out, const struct reply *r, int64_t wall_us);

/* Appends the answer for a failure whose row has a status. Its reason phrase is the token, because
 * many clients show nothing else of the answer to a CONNECT. */
void reply_problem(struct buf *out, const struct failure *f, const char *request_id, bool head_only,
                   enum persistence persistence, int64_t wall_us);

/* The same with further fields, each ended by CRLF; NULL: none. */
void reply_problem_with(struct buf *out, const struct failure *f, const char *request_id,
                        bool head_only, enum persistence persistence, const char *more,
                        int64_t wall_us);

#endif
