/*
 * web: one call over HTTPS, by libcurl.
 *
 * The library is loaded when the first web is made, so that only a process that
 * calls BTP has it in memory; the proxy's own calls never come here. It uses
 * the system's proxy settings (https_proxy, no_proxy). TLS is verified, a
 * redirection is not followed, and answers are bounded.
 */
#ifndef BTP_WEB_H
#define BTP_WEB_H

#include "base/buf.h"
#include "base/diag.h"

struct web;

struct web_request {
    const char *url;   /* https:// */
    struct slice body; /* p NULL: it is a GET, else a POST */
    const char *content_type;
    const char *token;             /* of Authorization: Bearer; NULL: none */
    const char *certificate, *key; /* PEM, to present; NULL: none */
    size_t max;                    /* bytes of the answer */
};

enum web_flaw {
    WEB_FINE,
    WEB_UNREACHABLE, /* name, connection, or no answer in time */
    WEB_TLS,
    WEB_IDENTITY, /* the certificate to present, or its key, cannot be used */
    WEB_CUT,      /* the answer ends too early, or is too large */
};

struct web_answer {
    enum web_flaw flaw;
    struct diag why; /* but for WEB_FINE: what the library says */
    int status;
    int64_t retry_after; /* seconds; 0: it says nothing */
    struct buf body;     /* whoever asked wipes it */
};

/* Loads the library now, for a process that cannot load any later on. */
void web_prepare(void);

/* ca_file: trusted in place of the system's roots; NULL: SSL_CERT_FILE, or the system's. */
enum status web_new(const char *ca_file, struct web **out, struct diag *why) MUST_CHECK;
void web_free(struct web *w); /* NULL is allowed */

void web_call(struct web *w, const struct web_request *r, struct web_answer *out);

#endif
