/*
 * cause: why a call fails. One table has a row for each cause that can be
 * recognised, with its sentence and its cure. The proxy's answers, the hints on
 * answers of SuccessFactors, the log, `check`, the status and the manual all
 * use it.
 *
 * A failure (base/fail.h) is what happens in the proxy. A cause says why, if
 * more is known than the failure itself says. The code of a cause is stable,
 * like the token of a failure, and never equal to a token. A failure without a
 * cause is known by its token (failure_code()).
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

    /* the connection to the server */
    CAUSE_CONNECT_TO,
    CAUSE_NOT_TLS,
    CAUSE_TLS_TOO_OLD,
    CAUSE_HTTP2_ONLY,
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
                   WHERE_CERTIFICATE, /* the tenant's own certificate */
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
    const char *sentence; /* the cause; {} stands for the server's own code: cause_sentence() */
    const char *cure;     /* what to do, in one or two sentences */
    const char *source;   /* where that is documented; empty if it is obvious */
};

const struct cause *cause_of(enum cause_id id);
enum cause_id cause_id(const struct cause *c);
const struct cause *cause_find(const char *code); /* NULL: no cause has that code */
const char *cause_where_text(enum cause_where where);

/* ---- failures of the proxy ---- */

enum cause_chain { /* what is wrong with the server's certificates */
                   CHAIN_FINE,
                   CHAIN_SELF_SIGNED, /* the server's own certificate is self-signed */
                   CHAIN_UNKNOWN,     /* no trusted certificate has issued it */
                   /* The server sent only its own certificate, whose issuer seems to be an
                    * intermediate. */
                   CHAIN_LACKS_ONE,
                   CHAIN_NOT_YET_VALID,
};

enum cause_talk { TALK_FINE, TALK_NOT_TLS, TALK_OLD_VERSION };

/* What is known when a connection fails; all zero: nothing. */
struct cause_evidence {
    /* A known server of SuccessFactors, whose certificate comes from a public CA. */
    bool is_sf;
    bool has_ca_file;    /* the trusted CAs are those of ca-file */
    bool has_connect_to; /* connect-to was dialled */
    bool is_mistyped;    /* the server's name is similar to a known one */
    enum cause_talk talk;
    enum cause_chain chain;
    int alert; /* the server's alert (RFC 8446, 6.2); 0: none */
    /* The server has named the CAs that it accepts, but none that issued a certificate of the
     * tenant's chain. */
    bool ca_is_not_wanted;
    bool own_is_not_for_clients; /* the tenant's certificate lacks clientAuth */
    /* The tenant sends its certificate without that of the issuer. */
    bool own_chain_is_short;
};

/* The cause of a failure; NULL: nothing more is known than the failure says. */
const struct cause *cause_of_failure(enum fail id, const struct cause_evidence *e);

/* Does the cause's sentence say more than the failure's, so that it has to come first? */
bool cause_says_more(const struct cause *c);

/* A better cause for a refusal of the client certificate by an answer, which does not say why, if
 * the evidence shows one; otherwise c. */
const struct cause *cause_sharpen(const struct cause *c, const struct cause_evidence *e);

/* Gives the failure the code and the cure of c, but not its sentence. c NULL: changes nothing. */
void cause_refine(struct failure *f, const struct cause *c);

/* ---- answers of the server ---- */

struct cause_answer {
    int status;
    struct slice content_type; /* the value of Content-Type (RFC 9110, 8.3) */
    /* Without content codings. Only the first ERROR_BODY_LOOK bytes count. */
    struct slice content;
};

enum { CAUSE_RAW_SIZE = 12 };
struct cause_found {
    char raw[CAUSE_RAW_SIZE]; /* the server's own code, for example "LGN0011"; empty: none */
};

/* Can an answer with that status have a cause? */
static inline bool cause_status(int status)
{
    return status >= 400 && status < 600;
}

/* The cause of an error answer; NULL: it is not known, for example an error in the caller's
 * request. Without content, only the status counts. */
const struct cause *cause_of_answer(const struct cause_answer *a, struct cause_found *found);

/* Appends the sentence, with the server's own code if it mentions that. */
void cause_sentence(struct buf *out, const struct cause *c, const struct cause_found *found);

/* The words in an answer's content by which the server refuses the client certificate (refusal.h);
 * NULL: the cause has none. */
const char *cause_words(enum cause_id id);

#endif
