/*
 * sessions: the sessions that servers have given to callers who send no cookies
 * (session-reuse).
 *
 * A session consists of the server's JSESSIONID, the load balancer's cookie and
 * the X-CSRF-Token. It is found by a key made of the tenant, the certificate,
 * the caller and the configuration, so nobody else can get it. Each session has
 * a number: an answer that belongs to an earlier session changes nothing. A
 * session that was not used for SESSION_IDLE_US is forgotten. If there are too
 * many, the one whose last use is longest ago is forgotten.
 *
 * No part of a session is ever logged or shown. Any thread may call.
 */
#ifndef EXCHANGE_SESSIONS_H
#define EXCHANGE_SESSIONS_H

#include "base/buf.h"
#include "http/head.h"
#include "tls/secret.h"

enum {
    SESSIONS_MAX = 1024,     /* of all tenants together; at most about 10 KiB each */
    SESSION_COOKIES = 8,     /* of one session */
    SESSION_PAIR_MAX = 1024, /* bytes; longer ones are not kept */
    SESSION_PATH_MAX = 256,  /* the same for a path */
    SESSION_TOKEN_MAX = 512, /* the same for an X-CSRF-Token */
};
/* A session that was not used for so long is forgotten. */
#define SESSION_IDLE_US (INT64_C(10) * 60 * 1000000)

struct sessions;

struct session_key {
    unsigned char bytes[SECRET_MAC_SIZE];
};

struct sessions *sessions_new(void);
void sessions_free(struct sessions *s);

/* Makes the key of these parts. */
void sessions_make_key(const struct sessions *s, const struct slice *parts, size_t count,
                       struct session_key *out);

/* Appends a Cookie field and, if with_token, an X-CSRF-Token field for a request with that path,
 * each with CRLF. Returns the number of the session, also if nothing of it fits the path; 0: there
 * is no session. now: monotonic, in microseconds. */
uint64_t sessions_write(struct sessions *s, const struct session_key *key, struct slice path,
                        bool with_token, int64_t now, struct buf *out);

/* The server has answered a request with that path, sent with session `sent` (0: none). Keeps what
 * the answer sets; forgets the session after 401 and 403. now: monotonic, in microseconds; now_s:
 * seconds since 1970. */
void sessions_learn(struct sessions *s, const struct session_key *key, uint64_t sent,
                    struct slice path, const struct head *answer, int64_t now, int64_t now_s);

void sessions_clear(struct sessions *s);
size_t sessions_count(struct sessions *s);

#endif
