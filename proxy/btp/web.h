/*
 * web: one call over HTTPS, with libcurl.
 *
 * The library is loaded when the first web is made, so that only a process that
 * calls BTP has it in memory; the proxy's own calls never come here. TLS is
 * verified, a redirection is not followed, and answers are bounded.
 */
#ifndef BTP_WEB_H
#define BTP_WEB_H

#include "base/buf.h"
#include "base/diag.h"

struct web;

/* Ways to tell a proxy who calls. */
enum { WEB_BASIC = 1, WEB_DIGEST = 2, WEB_NEGOTIATE = 4, WEB_NTLM = 8 };

/* The proxy through which BTP is called. */
struct web_proxy {
    enum web_way {
        WEB_BY_ENVIRONMENT, /* as the library reads it: https_proxy, no_proxy */
        WEB_DIRECT,
        WEB_BY_PROXY, /* whatever the environment says */
    } way;
    const char *url;                  /* http://HOST:PORT, of WEB_BY_PROXY */
    const char *text;                 /* how sentences call it */
    unsigned ways;                    /* that are permitted; 0: what the library does by itself */
    const char *user, *password;      /* with ways; NULL: none */
    const char *ccache, *keytab;      /* as the Kerberos library names them; NULL: its defaults */
    bool (*is_for)(const char *host); /* of WEB_BY_ENVIRONMENT: is that host called through it? */
};

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
    WEB_IDENTITY, /* the certificate to present, or its key, cannot be used */
    WEB_CUT,      /* the answer ends too early, or is too large */
    WEB_PROXY,    /* the proxy is not there, or does not let the call through */
};

struct web_answer {
    enum web_flaw flaw;
    struct diag why; /* the library's message, unless WEB_FINE */
    int status;
    int proxy_status;    /* what the proxy answered to CONNECT; 0: nothing */
    int64_t retry_after; /* seconds; 0: it says nothing */
    struct buf body;     /* whoever asked wipes it */
};

/* Loads the library now, for a process that cannot load it later. */
void web_prepare(void);

/* ca_file: trusted in place of the system's roots; NULL: SSL_CERT_FILE, or the system's. proxy is
 * borrowed. */
enum status web_new(const char *ca_file, const struct web_proxy *proxy, struct web **out,
                    struct diag *why) MUST_CHECK;
void web_free(struct web *w); /* NULL is allowed */

void web_call(struct web *w, const struct web_request *r, struct web_answer *out);

#endif
