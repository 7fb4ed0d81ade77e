/*
 * gss_login: what Kerberos and NTLM say to a parent proxy, by the system's
 * GSSAPI (RFC 2743, RFC 4559).
 *
 * The library is loaded only if a configured parent proxy may need it. It asks
 * the KDC over the network and reads files, so it works in threads of its own
 * (net/helpers.h). Each login opens the tickets anew: those that have come or
 * were renewed meanwhile are used.
 */
#ifndef UPSTREAM_GSS_LOGIN_H
#define UPSTREAM_GSS_LOGIN_H

#include "base/buf.h"
#include "config/parent_proxy.h"
#include "net/loop.h"

enum gss_kind { GSS_NEGOTIATE, GSS_NTLM };

/* Loads the library, if a parent proxy of c may need it and it is there, and what it would load
 * later. In the main thread; in the sandbox, nothing can be loaded any more. */
void gss_load(const struct config *c);

/* Can it be used for that? */
bool gss_can(enum gss_kind kind);

/* Is there a parent proxy in c that can be used only with what could not be loaded? */
enum status gss_check(const struct config *c, struct diag *why) MUST_CHECK;

struct gss_login;

enum gss_result {
    GSS_GOES_ON,  /* token is to be said, and what is answered to be given to the next step */
    GSS_COMPLETE, /* the same, and it is the last one */
    GSS_FAILS,    /* *why */
};
typedef void gss_login_done(void *ctx, enum gss_result result, struct slice token,
                            const struct diag *why);

struct gss_login *gss_login_new(struct loop *l, const struct parent_proxy *p, enum gss_kind kind,
                                gss_login_done *done, void *ctx);

/* The first step, or the next one with what was answered. done is called once for each, not from
 * inside this call. False: too many wait. */
bool gss_login_step(struct gss_login *g, struct slice answer) MUST_CHECK;
void gss_login_end(struct gss_login *g); /* done is not called any more; NULL is allowed */

#endif
