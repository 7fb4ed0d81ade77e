/*
 * web: one call over HTTPS, with libcurl.
 *
 * The library is loaded when the first web is made, so that it is in memory
 * only in a process that calls BTP. The proxy's own calls do not use it. It
 * follows the system's proxy settings (https_proxy, no_proxy). TLS is verified,
 * redirects are not followed, and the size of answers is limited.
 */
#ifndef BTP_WEB_H
#define BTP_WEB_H

#include "base/buf.h"
#include "base/diag.h"

struct web;

struct web_request {
    const char *url;   /* https:// */
    struct slice body; /* p NULL: GET; otherwise POST */
    const char *content_type;
    const char *token;             /* for Authorization: Bearer; NULL: none */
    const char *certificate, *key; /* PEM, for TLS; NULL: none */
    size_t max;                    /* largest answer, in bytes */
};

enum web_flaw {
    WEB_FINE,
    WEB_UNREACHABLE, /* the name, the connection, or no answer in time */
    WEB_TLS,
    WEB_IDENTITY, /* our certificate or its key cannot be used */
    WEB_CUT,      /* the answer is cut off, or too large */
};

struct web_answer {
    enum web_flaw flaw;
    struct diag why; /* the library's message, unless WEB_FINE */
    int status;
    int64_t retry_after; /* seconds; 0: not said */
    struct buf body;     /* the user has to wipe it */
};

/* Loads the library now, for a process that cannot load it later. */
void web_prepare(void);

/* ca_file: the CAs to trust instead of the system's; NULL: SSL_CERT_FILE, or the system's. */
enum status web_new(const char *ca_file, struct web **out, struct diag *why) MUST_CHECK;
void web_free(struct web *w); /* NULL is allowed */

void web_call(struct web *w, const struct web_request *r, struct web_answer *out);

#endif
