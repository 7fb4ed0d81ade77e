/*
 * call: one harmless GET to a tenant's server, as the proxy itself would make
 * it: the same connection, the same TLS, the same head, the same reader of
 * answers. For `sfmtls check`, in the main thread.
 */
#ifndef OPS_CALL_H
#define OPS_CALL_H

#include "config/config.h"
#include "sf/cause.h"

/* Where calls are made: a loop and the connections of one configuration. */
struct call_room;
struct call_room *call_room_new(struct config *c);
void call_room_free(struct call_room *r);

enum { CALL_LOOK = 4096, CALL_WHOLE = 4 * 1024 * 1024 }; /* bytes of the content that are kept */

struct call_result {
    bool connected; /* the handshake is done, and the server asked for the certificate if it has to
                     */
    bool failed;    /* there is no answer: failure */
    struct failure failure;

    /* once connected */
    char address[ADDRESS_TEXT_SIZE];
    const char *tls, *cipher; /* "TLSv1.3"; static */
    bool requested;           /* the server asked for the client certificate */
    char **chain;             /* the subjects of what it presented, its own first */
    size_t nchain;
    char **authorities; /* which CAs it accepts; none: it did not say */
    size_t nauthorities;

    /* the answer */
    int status;
    char *content_type;             /* NULL: none, or several */
    char *location;                 /* NULL: none */
    int64_t date_s;                 /* its Date, seconds since 1970; 0: none that can be read */
    struct buf content;             /* without its content codings */
    struct cause_evidence evidence; /* what can be seen of why the server refuses something */
};

/* tenant: index. path: path and query; NULL: connect, and ask for nothing. The result is to be
 * freed in any case. */
void call_make(struct call_room *r, size_t tenant, int identity, const char *path,
               struct call_result *out);

/* A GET to a program of this machine that speaks plain HTTP there, as sfmtls's admin listener does.
 */
void call_local(struct call_room *r, const struct address *at, const char *path,
                struct call_result *out);
void call_result_free(struct call_result *r);

/* Does an `allow` rule of the tenant cover that GET? */
bool call_is_allowed(const struct call_room *r, size_t tenant, const char *path);

#endif
