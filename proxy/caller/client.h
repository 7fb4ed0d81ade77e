/*
 * client: one caller's connection. It reads the head of a request, hands it to
 * the listener's service, and goes on with the next one when that is done.
 *
 * What a listener leads to (the proxy, or something local) is a service: it
 * gets each request and becomes the client's job until it is answered.
 */
#ifndef CALLER_CLIENT_H
#define CALLER_CLIENT_H

#include "caller/admission.h"
#include "caller/inside.h"
#include "http/edit.h"
#include "net/stream.h"

struct client;

/* A request that is being answered. The calls come from the client's stream. */
struct client_job {
    /* More bytes of the request; returns how many were used. */
    size_t (*on_data)(void *job, struct slice bytes);
    /* What was written to the client has gone out. */
    void (*on_drained)(void *job);
    /* The caller has sent its last byte, but still reads. */
    void (*on_end)(void *job);
    /* The caller is gone. The job ends; it does not touch the client any more. */
    void (*on_gone)(void *job);
};

/* One request as a service gets it. Views are valid during the call. */
struct client_request {
    const struct head *head;
    struct slice rest; /* what arrived after the head */
    int64_t begun_us;  /* clock_monotonic_us() at its first byte */
};

struct client_service {
    /* Takes the request: either answers it at once, or sets a job. Returns how much of rest was
     * used. */
    size_t (*serve)(void *ctx, struct client *c, const struct client_request *r);
};

/* A place where callers come in; outlives its clients. */
struct client_door {
    const struct client_service *service;
    void *ctx;
    const char *tenant; /* whose own listener it is, by name; NULL: everybody's */
    bool is_unix;
    bool is_remote;       /* other machines can reach it */
    bool for_operators;   /* the admin listener, which answers until the very end */
    int port;             /* 0: a Unix socket */
    struct address own;   /* where all of its connections come in; length 0: each knows its own */
    SSL_CTX *tls;         /* callers speak TLS; NULL: plain */
    struct quota *places; /* how many may be connected; NULL: max-connections says */
};

/* Takes the connection, with the places that it was admitted to. */
struct client *client_new(struct clients *all, const struct client_door *door, int fd,
                          const struct admission *admission);

/* A new one gets the failure before it has asked anything, and is closed. */
void client_turn_away(struct client *c, const struct failure *why);

/* ---- for the service and its job ---- */

struct clients *client_all(const struct client *c);
const struct client_door *client_door(const struct client *c);
struct stream *client_stream(const struct client *c);
const struct caller_id *client_caller(const struct client *c);
void client_set_job(struct client *c, const struct client_job *ops, void *job);

/* Where it came in, if the door is a remote one; NULL: not known. */
const struct address *client_own_address(const struct client *c);

/* An answer of the proxy's own in place of the service's: see client_refuse(). */
struct client_refusal {
    const char *id;     /* of the exchange */
    bool head_only;     /* the request was a HEAD */
    bool reusable;      /* as for client_decide() */
    const char *fields; /* further ones, each ended by CRLF; NULL: none */
};

/* Writes the failure as the answer to the request (RFC 9110, 15; RFC 9457) and returns its status.
 * The job goes on: client_done() or client_cut_off() follows. */
int client_refuse(struct client *c, const struct failure *why, const struct client_refusal *how);

/* How an answer is to speak of the connection; reusable: nothing in the exchange itself is against
 * serving another request on it. What is returned here holds for client_done(). */
enum persistence client_decide(struct client *c, bool reusable);

/* A CONNECT was answered 200: what comes next on the connection, after client_done(), is inside of
 * it. Takes in. */
void client_enter(struct client *c, struct inside *in);
const struct inside *client_inside(const struct client *c); /* NULL: in no CONNECT */

/* The job has ended and its answer is written (not necessarily gone out). read: the request was
 * read to its end; if not, more of it may be on the way. */
void client_done(struct client *c, bool read);

/* The job has ended in the middle of its answer: the caller must see that it is not whole. */
void client_cut_off(struct client *c, bool reset);

void client_kill(struct client *c); /* its job's on_gone is called */

/* ---- all of a worker ---- */

/* Ends idle callers and, as they become idle, the others. A caller that has sent nothing yet gets a
 * second for its first request, which may be on its way. on_drained of what is shared is called
 * when none is left that is served. */
void client_drain_all(struct clients *all);

/* The worker is being taken down. */
void client_kill_all(struct clients *all);

#endif
