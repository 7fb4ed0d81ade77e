/*
 * sessions: the sessions that servers have given to callers who send no cookies (session-reuse).
 *
 * A session is the server's JSESSIONID, the load balancer's cookie and the X-CSRF-Token, which
 * belong together. It is found by a key that only the same tenant, identity and caller make, in the
 * same configuration. It has a number: of two answers that come at the same time, the one that
 * belongs to an earlier session changes nothing. What was not used for SESSION_IDLE_US is gone, and
 * so is what was used least lately when there are too many.
 *
 * Nothing of it is ever shown. Any thread may call.
 */
#ifndef EXCHANGE_SESSIONS_H
#define EXCHANGE_SESSIONS_H

#include "base/buf.h"
#include "http/head.h"
#include "tls/secret.h"

enum {
    SESSIONS_MAX = 1024,     /* of all tenants, at most about 10 KiB each */
    SESSION_COOKIES = 8,     /* of one session */
    SESSION_PAIR_MAX = 1024, /* bytes; longer ones are not kept */
    SESSION_PATH_MAX = 256,
    SESSION_TOKEN_MAX = 512,
};
#define SESSION_IDLE_US (INT64_C(10) * 60 * 1000000)

struct sessions;

struct session_key {
    unsigned char bytes[SECRET_MAC_SIZE];
};

struct sessions *sessions_new(void);
void sessions_free(struct sessions *s);

/* The key that these parts make. */
void sessions_make_key(const struct sessions *s, const struct slice *parts, size_t count,
                       struct session_key *out);

/* Appends Cookie and, if it is wanted, X-CSRF-Token for a request with that path, each ended by
 * CRLF. Returns the number of the session, whether or not something of it fits the path; 0: there
 * is none. now: monotonic, in microseconds. */
uint64_t sessions_write(struct sessions *s, const struct session_key *key, struct slice path,
                        bool with_token, int64_t now, struct buf *out);

/* The server has answered a request with that path that was sent with session `sent`: keeps what
 * the answer sets, or forgets the session (401, 403). now_s: seconds since 1970. */
void sessions_learn(struct sessions *s, const struct session_key *key, uint64_t sent,
                    struct slice path, const struct head *answer, int64_t now, int64_t now_s);

void sessions_clear(struct sessions *s);
size_t sessions_count(struct sessions *s);

#endif
