/*
 * report: what OpenSSL's callbacks report about one TLS connection to a server.
 * It is the app data of the SSL object.
 */
#ifndef TLS_REPORT_H
#define TLS_REPORT_H

#include <stdbool.h>

struct tls_sessions;

/* Why the server's certificate is not trusted. */
enum tls_flaw {
    TLS_FLAW_NONE,           /* none of these */
    TLS_FLAW_SELF_SIGNED,    /* it is self-signed */
    TLS_FLAW_ISSUER_UNKNOWN, /* no trusted certificate has issued it */
    /* It came without a chain, and says where its issuer's certificate is. */
    TLS_FLAW_CHAIN_SHORT,
    TLS_FLAW_NOT_YET_VALID,
};

/* Owned by the connection. It has to live as long as the SSL object, or until
 * tls_client_detach(). */
struct tls_report {
    struct tls_sessions *sessions; /* keeps new sessions; may be NULL */
    bool requested;                /* the server has asked for our certificate in this handshake */
    /* The server asked for it when the session to be resumed was made. */
    bool requested_before;
    bool is_not_tls, is_too_old; /* facts about the server's protocol */
    int alert;                   /* the server's alert (RFC 8446, 6); 0: none */
    enum tls_flaw flaw;
    /* Describes the server's certificate or the CRL that is at fault; empty: none is. */
    char blamed[256];
};

#endif
