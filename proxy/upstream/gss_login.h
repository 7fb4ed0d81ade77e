/*
 * gss_login: makes the tokens by which Kerberos and NTLM log in to a parent
 * proxy, with the system's GSSAPI library (RFC 2743, RFC 4559).
 *
 * The library is loaded only if a configured parent proxy may need it. The
 * library asks the KDC over the network and reads files, so it runs in helper
 * threads (net/helpers.h). Each login reads the tickets again, so that new and
 * renewed tickets are used.
 */
#ifndef UPSTREAM_GSS_LOGIN_H
#define UPSTREAM_GSS_LOGIN_H

#include "base/buf.h"
#include "config/parent_proxy.h"
#include "net/loop.h"

enum gss_kind { GSS_NEGOTIATE, GSS_NTLM };

/* Loads the library if it is installed and a parent proxy of c may need it, and all that the
 * library would load later. Call it in the main thread and before the sandbox, which forbids
 * loading. */
void gss_load(const struct config *c);

/* Can this kind of login be used? */
bool gss_can(enum gss_kind kind);

/* Checks c: ST_BAD_INPUT if a parent proxy in c needs a library that could not be loaded. */
enum status gss_check(const struct config *c, struct diag *why) MUST_CHECK;

struct gss_login;

enum gss_result {
    /* Send the token, and give the answer to the next step. */
    GSS_GOES_ON,
    GSS_COMPLETE, /* send the token; it is the last one */
    GSS_FAILS,    /* *why has the reason */
};
typedef void gss_login_done(void *ctx, enum gss_result result, struct slice token,
                            const struct diag *why);

struct gss_login *gss_login_new(struct loop *l, const struct parent_proxy *p, enum gss_kind kind,
                                gss_login_done *done, void *ctx);

/* Makes the first token, or the next one from the parent proxy's answer. The login's `done` is
 * called once for each step, not inside this call. Returns false if too many logins wait. */
bool gss_login_step(struct gss_login *g, struct slice answer) MUST_CHECK;
void gss_login_end(struct gss_login *g); /* `done` is not called any more; NULL is allowed */

#endif
