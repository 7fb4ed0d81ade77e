/*
 * judgement: what a request's head alone decides: is the request refused,
 * which tenant is it for, and what does the server get of it? Pure, so `sfmtls
 * explain` uses it too.
 */
#ifndef EXCHANGE_JUDGEMENT_H
#define EXCHANGE_JUDGEMENT_H

#include "http/basic.h"
#include "policy/guard.h"

/* What the proxy answers itself. */
enum own_answer {
    OWN_ANSWER_NONE,
    /* To a browser that asks whether a page may send a request. A browser sends no credentials with
     * it (Fetch, 4.8), so neither a tenant nor a password is looked for. */
    OWN_ANSWER_PREFLIGHT,
    /* To an OPTIONS with Max-Forwards: 0 (RFC 9110, 7.6.2). It is judged like any other request. */
    OWN_ANSWER_OPTIONS,
};

struct judgement {
    /* The web page of another origin that sent the request and may; NULL: there is none. */
    const struct page_origin *page;
    struct target target; /* inside a CONNECT: the CONNECT's authority */
    enum own_answer own_answer;
    int index; /* of the tenant in the configuration; -1: none (a preflight) */
    const struct tenant *tenant;
};

/* Judges the head h. listener_tenant: the tenant of a listener that serves only one; NULL: of any
 * other listener. Returns false with the reason in *why; j->page is set in both cases. Does not
 * look at passwords (callers-file) and rules (allow). */
bool judgement_make(struct judgement *j, const struct guard_view *v, const char *listener_tenant,
                    const struct head *h, struct failure *why) MUST_CHECK;

/* For a tenant with a callers-file. Reads the caller's Basic credentials (RFC 7617); the user has
 * to wipe them with basic_wipe(). Returns false with the reason in *why if there are none.
 * judgement_refuse_caller() sets the failure for credentials that the file does not know. */
bool judgement_read_credentials(const struct head *h, struct basic *out,
                                struct failure *why) MUST_CHECK;
void judgement_refuse_caller(struct failure *why);

/* Appends the base: the URL under which the caller finds the server (links.h). Appends nothing
 * if links are not changed. tls: the caller speaks TLS. The functions below take the result as
 * `base`. */
void judgement_write_base(const struct judgement *j, const struct head *h, bool tls,
                          struct buf *base);

/* Sets how the head is edited, except write_cookie, ctx and body. */
void judgement_set_rules(const struct judgement *j, const struct head *h, struct slice base,
                         struct edit_rules *rules);

/* Does the server get the request's Range, although the content may be rewritten? */
bool judgement_asks_for_part(const struct head *h, struct slice base);

/* Is the request's body one in which links are rewritten? */
bool judgement_rewrites_body(const struct head *h, struct slice base);

#endif
