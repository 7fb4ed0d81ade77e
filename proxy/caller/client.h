/*
 * client: one caller's connection. It reads the head of a request, hands the
 * request to the listener's service, and reads the next head when the service
 * is done.
 *
 * A service is what a listener leads to: the API servers, or something that
 * answers by itself. The service gets each request and sets a job, which the
 * client has until the request is answered.
 */
#ifndef CALLER_CLIENT_H
#define CALLER_CLIENT_H

#include "caller/admission.h"
#include "caller/inside.h"
#include "http/edit.h"
#include "net/stream.h"

struct client;

/* A request that is being answered. The client's stream calls these. */
struct client_job {
    /* More bytes of the request; returns how many were used. */
    size_t (*on_data)(void *job, struct slice bytes);
    /* All that was written to the client's stream has gone out. */
    void (*on_drained)(void *job);
    /* The caller has sent its last byte, but still reads. */
    void (*on_end)(void *job);
    /* The caller is gone. The job has to end, and must not touch the client any more. */
    void (*on_gone)(void *job);
};

/* One request for a service. The views are valid during the call only. */
struct client_request {
    const struct head *head;
    struct slice rest; /* what arrived after the head */
    int64_t begun_us;  /* clock_monotonic_us() at its first byte */
};

struct client_service {
    /* Takes the request: answers it at once, or sets a job. Returns how many bytes of rest were
     * used. */
    size_t (*serve)(void *ctx, struct client *c, const struct client_request *r);
};

/* What callers connect to. It outlives its clients. */
struct client_door {
    const struct client_service *service;
    void *ctx;
    /* The tenant that this listener serves alone; NULL: it serves all tenants. */
    const char *tenant;
    bool is_unix;
    bool is_remote; /* other machines can reach it */
    /* The admin listener, which answers until the very end of the process. */
    bool for_operators;
    int port; /* TCP port; 0: a Unix socket */
    /* The local address of its connections; length 0: each connection has its own. */
    struct address own;
    SSL_CTX *tls;         /* for callers that speak TLS; NULL: they do not */
    struct quota *places; /* limit of its connections; NULL: max-connections */
};

/* Takes ownership of the connection fd and of the places in *admission. */
struct client *client_new(struct clients *all, const struct client_door *door, int fd,
                          const struct admission *admission);

/* Answers a new client with the failure, although it has asked nothing yet, and closes it. */
void client_turn_away(struct client *c, const struct failure *why);

/* ---- for the service and its job ---- */

struct clients *client_all(const struct client *c);
const struct client_door *client_door(const struct client *c);
struct stream *client_stream(const struct client *c);
const struct caller_id *client_caller(const struct client *c);
void client_set_job(struct client *c, const struct client_job *ops, void *job);

/* The local address of the connection, if the door is a remote one; NULL: not known. */
const struct address *client_own_address(const struct client *c);

/* How the proxy itself answers: see client_refuse(). */
struct client_refusal {
    const char *id;     /* of the exchange */
    bool head_only;     /* the request was a HEAD */
    bool reusable;      /* as for client_decide() */
    const char *fields; /* more fields, each with CRLF; NULL: none */
};

/* Writes the failure as the answer to the request (RFC 9110, 15; problem details of RFC 9457) and
 * returns its status. The job goes on; end it with client_done() or client_cut_off(). */
int client_refuse(struct client *c, const struct failure *why, const struct client_refusal *how);

/* Decides whether the connection goes on after this answer, and returns what the answer has to say
 * about that. reusable: nothing in the exchange itself forbids another request. client_done() keeps
 * to the decision. */
enum persistence client_decide(struct client *c, bool reusable);

/* A CONNECT was answered with 200: after client_done(), the connection's bytes belong to the inside
 * of the CONNECT. Takes ownership of in. */
void client_enter(struct client *c, struct inside *in);
const struct inside *client_inside(const struct client *c); /* NULL: not inside a CONNECT */

/* The job has ended and its answer is written, though it may not have gone out yet. read: the whole
 * request was read; if not, more of it may come. */
void client_done(struct client *c, bool read);

/* The job has ended in the middle of its answer. The connection ends in a way that shows the caller
 * that the answer is incomplete. reset: by a TCP reset. */
void client_cut_off(struct client *c, bool reset);

void client_kill(struct client *c); /* ends the connection; calls the job's on_gone */

/* ---- all of a worker ---- */

/* Shutdown: ends idle callers at once, and the others when they become idle. A caller that has sent
 * nothing yet gets a second for its first request, which may be on its way. When nobody is served
 * any more, clients_shared.on_drained is called. */
void client_drain_all(struct clients *all);

/* Ends all connections at once. */
void client_kill_all(struct clients *all);

#endif
