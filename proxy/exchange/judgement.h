/*
 * judgement: what a request's head alone decides: may it pass, whose is it, and
 * what does the server get of it? Pure: `sfmtls explain` asks the same.
 */
#ifndef EXCHANGE_JUDGEMENT_H
#define EXCHANGE_JUDGEMENT_H

#include "http/basic.h"
#include "policy/guard.h"

struct judgement {
    const struct page_origin *page; /* of another origin that may call; NULL: no such page asks */
    struct target target;           /* inside a CONNECT: its authority is the CONNECT's */
    bool is_preflight;              /* the proxy answers it itself: no tenant is looked for */
    int index;                      /* of the tenant */
    const struct tenant *tenant;
};

/* listener_tenant: whose own listener it is, or NULL. False: *why says why; page is set all the
 * same. Passwords (callers-file) and rules (allow) are not looked at. */
bool judgement_make(struct judgement *j, const struct guard_view *v, const char *listener_tenant,
                    const struct head *h, struct failure *why) MUST_CHECK;

/* Of a tenant with a callers-file: the caller's credentials, to be wiped; false: *why. And the
 * failure of credentials that do not fit. */
bool judgement_read_credentials(const struct head *h, struct basic *out,
                                struct failure *why) MUST_CHECK;
void judgement_refuse_caller(struct failure *why);

/* Appends where the caller finds the server (links.h); nothing: links stay as they are. tls: the
 * caller speaks TLS. The functions below want the result. */
void judgement_write_base(const struct judgement *j, const struct head *h, bool tls,
                          struct buf *base);

/* How the head is edited; without write_cookie and body. */
void judgement_set_rules(const struct judgement *j, const struct head *h, struct slice base,
                         struct edit_rules *rules);

/* Does its Range travel? */
bool judgement_asks_for_part(const struct head *h, struct slice base);

/* Are there links in its body to be rewritten? */
bool judgement_rewrites_body(const struct head *h, struct slice base);

#endif
