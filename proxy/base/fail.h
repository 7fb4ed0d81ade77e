/*
 * fail: the table of everything that can go wrong with an exchange.
 *
 * The access log, the answers that the proxy makes, `sfmtls help errors` and
 * sfmtls-errors(7) come from this table. Tokens are stable, because scripts
 * match them.
 */
#ifndef BASE_FAIL_H
#define BASE_FAIL_H

#include "base/diag.h"

enum fail {
    FAIL_NONE,

    /* problems of the caller's request */
    FAIL_REQUEST_MALFORMED,
    FAIL_REQUEST_AMBIGUOUS,
    FAIL_REQUEST_TARGET,
    FAIL_REQUEST_HOST,
    FAIL_REQUEST_VERSION,
    FAIL_REQUEST_BODY,
    FAIL_REQUEST_TIMEOUT,
    FAIL_TARGET_TOO_LONG,
    FAIL_HEAD_TOO_LARGE,
    FAIL_EXPECTATION,
    FAIL_METHOD_NOT_ALLOWED,
    FAIL_METHOD_UNKNOWN,
    FAIL_CONNECT_NOT_SERVED,
    FAIL_CONNECT_NOT_ALLOWED,
    FAIL_CONNECT_ADDRESS,
    FAIL_LOCAL_CA,
    FAIL_WEBSOCKET_NOT_SERVED,
    FAIL_ADMIN_PATH,
    FAIL_ADMIN_METHOD,
    FAIL_ADMIN_POST,
    FAIL_ADMIN_ACTION,
    FAIL_ADMIN_TOKEN,

    /* whether the request may pass, and to which tenant it belongs */
    FAIL_CALLER_UID,
    FAIL_HOST_NOT_SERVED,
    FAIL_FOREIGN_ORIGIN,
    FAIL_FORWARDED,
    FAIL_CALLER_TOKEN,
    FAIL_PROXY_TOKEN,
    FAIL_TENANT_UNKNOWN,
    FAIL_TENANT_AMBIGUOUS,
    FAIL_COMPANY_REPEATED,
    FAIL_CALLER_UNKNOWN,
    FAIL_PATH_AMBIGUOUS,
    FAIL_NOT_ALLOWED,

    /* limits that are reached */
    FAIL_TOO_MANY_CALLERS,
    FAIL_CALLER_SHARE,
    FAIL_SHORTAGE,
    FAIL_QUEUE_FULL,
    FAIL_QUEUE_TIMEOUT,
    FAIL_SERVER_ASKED_TO_WAIT,
    FAIL_CHECKS_FULL,

    /* the connection to the server */
    FAIL_NAME_NOT_FOUND,
    FAIL_NAME_LOOKUP,
    FAIL_NAME_TIMEOUT,
    FAIL_CONNECT_REFUSED,
    FAIL_CONNECT_UNREACHABLE,
    FAIL_CONNECT_TIMEOUT,

    /* the parent proxy */
    FAIL_PARENT_NAME,
    FAIL_PARENT_REFUSED,
    FAIL_PARENT_UNREACHABLE,
    FAIL_PARENT_TIMEOUT,
    FAIL_PARENT_CLOSED,
    FAIL_PARENT_MALFORMED,
    FAIL_PARENT_TOO_LARGE,
    FAIL_PARENT_ASKS,
    FAIL_PARENT_AUTH,
    FAIL_PARENT_TICKET,
    FAIL_PARENT_BUSY,
    FAIL_PARENT_FORBADE,
    FAIL_PARENT_SERVER,
    FAIL_PARENT_SERVER_TIMEOUT,
    FAIL_PARENT_STATUS,

    /* TLS with the server */
    FAIL_HANDSHAKE_TIMEOUT,
    FAIL_TLS,
    FAIL_SERVER_UNTRUSTED,
    FAIL_SERVER_EXPIRED,
    FAIL_SERVER_WRONG_HOST,
    FAIL_SERVER_REVOKED,
    FAIL_SERVER_CRL,
    FAIL_CERTIFICATE_REFUSED,
    FAIL_CERTIFICATE_NOT_REQUESTED,
    FAIL_CERTIFICATE_EXPIRED,
    FAIL_CERTIFICATE_NOT_YET_VALID,
    FAIL_CERTIFICATE_NOT_FETCHED,

    /* the server's answer */
    FAIL_UPSTREAM_CLOSED,
    FAIL_SERVER_VANISHED,
    FAIL_ANSWER_TIMEOUT,
    FAIL_ANSWER_MALFORMED,
    FAIL_ANSWER_TOO_LARGE,
    FAIL_ANSWER_UPGRADE,
    FAIL_ANSWER_TRUNCATED,

    /* the caller, or the process, during the exchange */
    FAIL_CALLER_GONE,
    FAIL_SHUTDOWN,
    FAIL_CALLER_STALLED,
    FAIL_CALLER_TLS,
    FAIL_TUNNEL_IDLE,

    FAIL_INTERNAL,
    FAIL_COUNT
};

/* Who has to act on a failure. */
enum blame {
    BLAME_NOBODY,
    BLAME_CALLER,
    BLAME_CONFIGURATION,
    BLAME_NETWORK,
    BLAME_SERVER,
    BLAME_PROXY
};

struct fail_info {
    const char *token;       /* in kebab-case; used in logs, answers and Proxy-Status */
    int status;              /* of the answer (RFC 9110); 0: it is too late for an answer */
    const char *proxy_error; /* the error type of Proxy-Status (RFC 9209, 2.3) */
    enum blame blame;
    int retry_after;    /* seconds for Retry-After; 0: no Retry-After */
    const char *title;  /* the title of RFC 9457: the same for every occurrence */
    const char *detail; /* one sentence, for when nothing more exact is known */
    const char *cure;   /* one sentence: what to do about it */
};

const struct fail_info *fail_info(enum fail id);
const char *fail_blame_text(enum blame who);

/* One occurrence of a failure: the row, and an exact sentence if there is one. */
struct failure {
    enum fail id;
    struct diag detail;
    const char *code; /* more exact than the token (sf/cause.h); NULL: there is none. Static. */
    const char *cure; /* the cure for that code */
    int retry_after;  /* seconds; replaces the row's value. 0: the row's value applies */
};

/* Sets the id and the sentence. failure_plain() takes the sentence of the row. */
void failure_set(struct failure *f, enum fail id, const char *format, ...) PRINTF_LIKE(3, 4);
void failure_plain(struct failure *f, enum fail id);

/* Adds what is known more exactly about the cause; call it after failure_set(). Both texts have to
 * be static. */
void failure_refine(struct failure *f, const char *code, const char *cure);

/* Sets when to try again, in seconds; call it after failure_set(). */
void failure_wait(struct failure *f, int seconds);
int failure_retry_after(const struct failure *f); /* in seconds; 0: unknown */

/* The code under which the failure is documented (that of the cause, else the token), and the
 * cure. */
const char *failure_code(const struct failure *f);
const char *failure_cure(const struct failure *f);

#endif
