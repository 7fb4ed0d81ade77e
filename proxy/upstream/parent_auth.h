/*
 * parent_auth: what is said to a parent proxy of who calls, for one tunnel:
 * which of the ways that it offers is taken, and what goes into
 * Proxy-Authorization next (RFC 9110, 11.7).
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
    AUTH_READY, /* say it */
    AUTH_WAITS, /* done is called, once, not from inside the call */
    AUTH_FAILS, /* *why */
};

/* why NULL: say it. */
typedef void parent_auth_done(void *ctx, const struct failure *why);

struct gss_login;

struct parent_auth {
    struct loop *loop;
    struct parent_proxy *parent;
    const char *target; /* of the CONNECT */
    parent_auth_done *done;
    void *ctx;
    enum auth_way way;
    unsigned excluded;       /* BIT() of each way that has turned out to be impossible */
    bool complete;           /* all was said: to be asked once more is a refusal */
    unsigned repeated;       /* answers to challenges that replace a stale one */
    struct buf field;        /* the value of Proxy-Authorization; empty: there is none */
    struct buf asked;        /* what was asked last */
    struct gss_login *login; /* of AUTH_NTLM and AUTH_NEGOTIATE */
    unsigned legs;           /* what it has said */
    struct diag obstacle;    /* why Negotiate is impossible; empty: it is not */
};

/* parent and target outlive it. */
void parent_auth_start(struct parent_auth *a, struct loop *l, struct parent_proxy *parent,
                       const char *target, parent_auth_done *done, void *ctx);
void parent_auth_stop(struct parent_auth *a); /* nothing is called back any more */

/* The parent proxy has answered 407. */
enum auth_result parent_auth_judge(struct parent_auth *a, const struct head *answer,
                                   struct failure *why) MUST_CHECK;

/* Does what comes next belong to the same connection as what was said? */
bool parent_auth_needs_connection(const struct parent_auth *a);

/* "NTLM" */
const char *parent_auth_name(const struct parent_auth *a);

#endif
