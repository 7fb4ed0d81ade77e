/*
 * cause: why a call fails, as one table: a row for each cause that can be told
 * apart, with the sentence and the cure that the answers of the proxy, the hints
 * on SF's own answers, the log, `check`, the status and the manual print.
 *
 * The failures of base/fail.h are what the proxy does; a cause says why, where
 * more is known than the failure's own row says. The code of a cause is stable,
 * as a failure's token is, and no cause has a failure's token as its code: what
 * no cause refines is known by its token (see failure_code()).
 *
 *     const struct cause *c = cause_of_failure(why.id, &evidence);   a failure of the proxy
 *     const struct cause *c = cause_of_answer(&answer, &found);      an error answer of the server
 *     const struct cause *c = cause_of(CAUSE_PASSPHRASE);            known by other means
 *
 * Pure; all texts are static and ASCII.
 */
#ifndef SF_CAUSE_H
#define SF_CAUSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/fail.h"
#include "sf/error_body.h"

enum cause_id {
    /* the configuration */
    CAUSE_SERVER_MISTYPED,
    CAUSE_COMPANY_MISTYPED,
    CAUSE_CLOCK,

    /* the tenant's own certificate */
    CAUSE_CERTIFICATE_UNREADABLE,
    CAUSE_PASSPHRASE,
    CAUSE_KEY_MISMATCH,
    CAUSE_NO_CLIENT_AUTH,
    CAUSE_CERTIFICATE_ENDS_SOON,
    CAUSE_OWN_CHAIN_INCOMPLETE,
    CAUSE_OWN_REVOKED,
    CAUSE_OWN_EXPIRED_THERE,
    CAUSE_OWN_CA_NOT_WANTED,

    /* the way to the server */
    CAUSE_CONNECT_TO,
    CAUSE_NOT_TLS,
    CAUSE_TLS_TOO_OLD,
    CAUSE_TLS_INSPECTED,
    CAUSE_SERVER_SELF_SIGNED,
    CAUSE_SERVER_ISSUER_UNKNOWN,
    CAUSE_SERVER_NOT_OF_CA_FILE,
    CAUSE_SERVER_CHAIN_INCOMPLETE,
    CAUSE_SERVER_NOT_YET_VALID,

    /* answers of the server */
    CAUSE_AUTH0032,
    CAUSE_AUTH_UNKNOWN,
    CAUSE_EDGE_CERTIFICATE_ERROR,
    CAUSE_EDGE_NO_CERTIFICATE,
    CAUSE_LGN0001,
    CAUSE_LGN0002,
    CAUSE_LGN0003,
    CAUSE_LGN0004,
    CAUSE_LGN0005,
    CAUSE_LGN0006,
    CAUSE_LGN0007,
    CAUSE_LGN0008,
    CAUSE_LGN0009,
    CAUSE_LGN0010,
    CAUSE_LGN0013,
    CAUSE_LGN0015,
    CAUSE_LGN0022,
    CAUSE_LGN_UNKNOWN,
    CAUSE_SFAPI_ADDRESS,
    CAUSE_SFAPI_LOGIN,
    CAUSE_SFAPI_SESSION,
    CAUSE_OAUTH_CLIENT,
    CAUSE_METADATA,
    CAUSE_BATCH_SIZE,
    CAUSE_UPSERT_SIZE,
    CAUSE_TOO_MANY_REQUESTS,
    CAUSE_MAINTENANCE,
    CAUSE_UNAVAILABLE,
    CAUSE_BAD_GATEWAY,
    CAUSE_GATEWAY_TIMEOUT,

    /* a certificate from BTP's Destination service */
    CAUSE_BTP_SERVICE_KEY,
    CAUSE_BTP_BINDING_EXPIRED,
    CAUSE_BTP_TOKEN_REFUSED,
    CAUSE_BTP_NOT_PERMITTED,
    CAUSE_BTP_CERTIFICATE_UNKNOWN,
    CAUSE_BTP_TOO_MANY_REQUESTS,
    CAUSE_BTP_UNREACHABLE,
    CAUSE_BTP_PROXY_UNREACHABLE,
    CAUSE_BTP_PROXY_AUTH,
    CAUSE_BTP_PROXY_REFUSED,
    CAUSE_BTP_TLS,
    CAUSE_BTP_UNAVAILABLE,
    CAUSE_BTP_ANSWER,
    CAUSE_BTP_KEY_STORE,
    CAUSE_BTP_CERTIFICATE_UNFIT,
    CAUSE_BTP_STORE,
    CAUSE_BTP_HELPER,

    CAUSE_COUNT
};

enum cause_where { /* where it shows */
                   WHERE_CONFIGURATION,
                   WHERE_CERTIFICATE, /* the tenant's own */
                   WHERE_NAME,
                   WHERE_CONNECTION,
                   WHERE_TLS,
                   WHERE_ANSWER,
                   WHERE_BTP,
};

struct cause {
    const char *code; /* kebab-case */
    enum cause_where where;
    const char *known_by; /* how it is recognised */
    const char *sentence; /* the cause; {} stands for the server's own code, see cause_sentence() */
    const char *cure;     /* one sentence or two: what to do */
    const char *source;   /* where that is documented; "" if it is plain */
};

const struct cause *cause_of(enum cause_id id);
enum cause_id cause_id(const struct cause *c);
const struct cause *cause_find(const char *code); /* NULL: no row has it */
const char *cause_where_text(enum cause_where where);

/* ---- failures of the proxy ---- */

enum cause_chain { /* what is wrong with the server's certificates */
                   CHAIN_FINE,
                   CHAIN_SELF_SIGNED, /* the server's own certificate is signed by itself */
                   CHAIN_UNKNOWN,     /* nobody who is trusted has issued it */
                   CHAIN_LACKS_ONE,   /* the server sent only its own, and its issuer seems to be an
                                         intermediate */
                   CHAIN_NOT_YET_VALID,
};

enum cause_talk { TALK_FINE, TALK_NOT_TLS, TALK_OLD_VERSION };

/* What is known when a connection fails; zero: nothing. */
struct cause_evidence {
    bool is_sf; /* the server is known to be one of SF, so a public CA issues its certificate */
    bool has_ca_file;    /* the roots are those of ca-file */
    bool has_connect_to; /* that was dialled */
    bool is_mistyped;    /* the server's name is nearly one that is known */
    enum cause_talk talk;
    enum cause_chain chain;
    int alert;             /* the server's; 0: none (RFC 8446, 6.2) */
    bool ca_is_not_wanted; /* the server has named the CAs that it accepts, and none of the tenant's
                              chain is among them */
    bool own_is_not_for_clients; /* the tenant's certificate lacks clientAuth */
    bool own_chain_is_short;     /* the tenant sends a certificate without the one that issued it */
};

/* The cause of a failure, or NULL: its own row says all that is known. */
const struct cause *cause_of_failure(enum fail id, const struct cause_evidence *e);

/* Does its sentence say more than that of the failure, so that it is to come before it? */
bool cause_says_more(const struct cause *c);

/* A server that refuses the client certificate by an answer does not say why: the cause, if the
 * evidence shows it better; else c. */
const struct cause *cause_sharpen(const struct cause *c, const struct cause_evidence *e);

/* The failure gets the code and the cure of c; NULL: it keeps its own. The sentence stays. */
void cause_refine(struct failure *f, const struct cause *c);

/* ---- answers of the server ---- */

struct cause_answer {
    int status;
    struct slice content_type; /* the field's value (RFC 9110, 8.3) */
    struct slice content; /* without its content codings; the first ERROR_BODY_LOOK bytes count */
};

enum { CAUSE_RAW_SIZE = 12 };
struct cause_found {
    char raw[CAUSE_RAW_SIZE]; /* the code that the server gave: "LGN0011"; "": none */
};

/* Can an answer of that status have a cause? */
static inline bool cause_status(int status)
{
    return status >= 400 && status < 600;
}

/* The cause of an error answer, or NULL: it is none that is known, as errors of the caller's
 * request are. Without content, what the status alone says. */
const struct cause *cause_of_answer(const struct cause_answer *a, struct cause_found *found);

/* Appends the sentence, with the server's own code where it names that. */
void cause_sentence(struct buf *out, const struct cause *c, const struct cause_found *found);

/* Of the content of an answer, by which a server refuses the client certificate (see refusal.h):
 * the words of the row, or NULL. */
const char *cause_words(enum cause_id id);

#endif
