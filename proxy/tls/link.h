/*
 * link: what is known of one TLS connection to a server while OpenSSL's
 * callbacks report it: the app data of its SSL object.
 */
#ifndef TLS_LINK_H
#define TLS_LINK_H

#include <stdbool.h>

struct tls_sessions;

/* Owned by the connection; it must outlive the
 * SSL object or be detached from it with tls_client_detach(). */
struct tls_link {
    struct tls_sessions *sessions; /* where new sessions are kept; may be NULL */
    bool requested;                /* the server asked for our certificate in this handshake */
    bool requested_before;         /* it did when the session was made that is to be resumed */
    char blamed[256]; /* what the server's certificate or CRL is, if it was at fault; else "" */
};

#endif
