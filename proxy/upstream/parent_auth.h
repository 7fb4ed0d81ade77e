/*
 * parent_auth: how one tunnel logs in to a parent proxy: chooses one of the
 * ways that the parent proxy offers, and makes the next value of
 * Proxy-Authorization (RFC 9110, 11.7).
 *
 * Belongs to its loop's thread.
 */
#ifndef UPSTREAM_PARENT_AUTH_H
#define UPSTREAM_PARENT_AUTH_H

#include "base/fail.h"
#include "config/parent_proxy.h"
#include "http/head.h"
#include "net/loop.h"

/* From the weakest to the strongest. */
enum auth_way { AUTH_NONE, AUTH_BASIC, AUTH_DIGEST, AUTH_NTLM, AUTH_NEGOTIATE, AUTH_WAYS };

enum auth_result {
    AUTH_READY, /* send `field` in the next CONNECT */
    AUTH_WAITS, /* `done` is called once, not inside the call */
    AUTH_FAILS, /* *why has the reason */
};

/* why == NULL: send `field` in the next CONNECT. */
typedef void parent_auth_done(void *ctx, const struct failure *why);

struct gss_login;

struct parent_auth {
    struct loop *loop;
    struct parent_proxy *parent;
    const char *target; /* of the CONNECT; host:port */
    parent_auth_done *done;
    void *ctx;
    enum auth_way way;
    unsigned excluded; /* BIT() of each way that cannot be used */
    /* Everything was sent, so another 407 is a refusal. */
    bool complete;
    unsigned repeated; /* new answers because a challenge was stale */
    /* The next value of Proxy-Authorization; empty: none. */
    struct buf field;
    struct buf asked;        /* Proxy-Authenticate of the last 407 */
    struct gss_login *login; /* for AUTH_NTLM and AUTH_NEGOTIATE */
    unsigned legs;           /* tokens that the login has made */
    struct diag obstacle;    /* why Negotiate does not work; empty: it does */
};

/* parent and target must outlive a. */
void parent_auth_start(struct parent_auth *a, struct loop *l, struct parent_proxy *parent,
                       const char *target, parent_auth_done *done, void *ctx);
void parent_auth_stop(struct parent_auth *a); /* `done` is not called any more */

/* The parent proxy has answered 407: finds out what to send next. */
enum auth_result parent_auth_judge(struct parent_auth *a, const struct head *answer,
                                   struct failure *why) MUST_CHECK;

/* Has the next CONNECT to be sent on the same connection? NTLM and Negotiate need that between two
 * tokens. */
bool parent_auth_needs_connection(const struct parent_auth *a);

/* The name of the way, for example "NTLM". */
const char *parent_auth_name(const struct parent_auth *a);

#endif
