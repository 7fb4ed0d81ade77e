/*
 * call: one harmless GET to a tenant's server, made as the proxy would make it:
 * with the same connections, TLS, edited head and reader of answers. For
 * `sfmtls check`, in the main thread.
 */
#ifndef OPS_CALL_H
#define OPS_CALL_H

#include "config/config.h"
#include "net/way_times.h"
#include "sf/cause.h"

/* A loop and the connections of one configuration. */
struct call_room;
struct call_room *call_room_new(struct config *c);
void call_room_free(struct call_room *r);

/* bytes of the content that are kept at most */
enum { CALL_LOOK = 4096, CALL_WHOLE = 4 * 1024 * 1024 };

struct call_result {
    /* The handshake is complete, and the server has asked for the certificate if it must. */
    bool connected;
    bool failed; /* there is no answer: see failure */
    struct failure failure;
    struct way_times way; /* how long the parts of making the connection took */
    int64_t answer_us;    /* from the request to the answer's head; negative: there is none */

    /* valid if connected */
    char address[ADDRESS_TEXT_SIZE];
    const char *tls, *cipher; /* "TLSv1.3"; static */
    bool requested;           /* the server has asked for the client certificate */
    /* The subjects of the certificates that the server sent, its own first. */
    char **chain;
    size_t nchain;
    /* The CAs that the server accepts; none: it did not say. */
    char **authorities;
    size_t nauthorities;

    /* the answer */
    int status;
    char *content_type;             /* NULL: none, or several */
    char *location;                 /* NULL: none */
    int64_t date_s;                 /* seconds since 1970; 0: no readable Date */
    struct buf content;             /* with its content codings removed */
    struct cause_evidence evidence; /* facts about why the server refuses something */
};

/* Makes the call. tenant: its index. path: path and query; NULL: only connect. Free the result in
 * any case. */
void call_make(struct call_room *r, size_t tenant, int identity, const char *path,
               struct call_result *out);

/* A GET to a program on this machine that speaks plain HTTP, such as sfmtls's admin listener. */
void call_local(struct call_room *r, const struct address *at, const char *path,
                struct call_result *out);
void call_result_free(struct call_result *r);

/* Does an `allow` rule of the tenant cover a GET for that path? */
bool call_is_allowed(const struct call_room *r, size_t tenant, const char *path);

#endif
