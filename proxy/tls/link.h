/*
 * link: what is known of one TLS connection to a server while OpenSSL's
 * callbacks report it: the app data of its SSL object.
 */
#ifndef TLS_LINK_H
#define TLS_LINK_H

#include <stdbool.h>

struct tls_sessions;

/* Why the server's certificate is not trusted. */
enum tls_flaw {
    TLS_FLAW_NONE,           /* nothing of this */
    TLS_FLAW_SELF_SIGNED,    /* it is its own issuer */
    TLS_FLAW_ISSUER_UNKNOWN, /* nobody who is trusted has issued it */
    TLS_FLAW_CHAIN_SHORT,    /* it came alone, and says where its issuer's certificate is */
    TLS_FLAW_NOT_YET_VALID,
};

/* Owned by the connection; it must outlive the
 * SSL object or be detached from it with tls_client_detach(). */
struct tls_link {
    struct tls_sessions *sessions; /* where new sessions are kept; may be NULL */
    bool requested;                /* the server asked for our certificate in this handshake */
    bool requested_before;         /* it did when the session was made that is to be resumed */
    bool is_not_tls, is_too_old;   /* what the server speaks */
    int alert;                     /* that the server sent (RFC 8446, 6); 0: none */
    enum tls_flaw flaw;
    char blamed[256]; /* what the server's certificate or CRL is, if it was at fault; else "" */
};

#endif
