/*
 * The inside of an exchange: private to exchange.c, exchange_request.c and
 * exchange_answer.c.
 */
#ifndef CORE_EXCHANGE_PARTS_H
#define CORE_EXCHANGE_PARTS_H

#include "core/client.h"
#include "core/origin.h"
#include "core/upstream.h"
#include "http/body.h"
#include "http/edit.h"

enum { HELD_MAX = 64 * 1024 };

struct exchange {
    struct client *client;
    struct worker *worker;
    struct generation *generation; /* whose tenant it is, whatever is configured meanwhile */
    struct origin *origin;
    const struct tenant *tenant; /* NULL: not known (yet), as is origin */
    bool over;

    /* what the record tells */
    char id[REQUEST_ID_SIZE];
    int64_t begun_us, first_us;
    int status;
    struct failure *failure; /* NULL: none */

    /* the request */
    enum method method;
    int minor;
    bool may_repeat; /* RFC 9110, 9.2.2: idempotent, and nothing says otherwise */
    bool expects;    /* the caller waits for 100 (Continue) before it sends the body */
    struct buf head; /* as the server gets it; as the caller sent it, if it never gets there */
    bool head_sent;
    struct body request;
    struct edit_trailer_rules request_trailers;
    bool request_done; /* all of it was handed to the server's stream */
    struct buf held;   /* what was sent of the body, to send it again */
    bool holding;
    bool upload_blocked; /* the server is slower than the caller */
    bool upload_dead;    /* the server takes no more; its answer may be on the way */

    /* the connection */
    struct acquire acquire;
    struct upstream *upstream;
    bool reused, repeated;
    const char *tls;

    /* the answer */
    struct h1_reader reader;
    unsigned interim;  /* 1xx responses so far */
    bool answer_begun; /* a byte of it has come */
    bool head_passed;  /* the caller has the final head */
    bool upstream_persists;
    int64_t idle_ms; /* for how long the server keeps the connection */
    struct body answer;
    struct edit_trailer_rules answer_trailers;
    bool download_blocked; /* the caller is slower than the server */

    struct timer answer_timer; /* the server has to do something */
    struct timer caller_timer; /* the caller has to do something */
};

/* ---- exchange.c ---- */

/* The exchange has failed: the caller is told, or cut off if the answer has begun. */
void exchange_fail(struct exchange *x, const struct failure *why);
void exchange_fail_plain(struct exchange *x, enum fail id);

/* For the record only: the exchange goes on. */
void exchange_note_failure(struct exchange *x, const struct failure *why);

/* The server's connection is of no use any more; without a byte of an answer the request may be
 * repeated. */
void exchange_lost_upstream(struct exchange *x, const struct failure *why);

/* The answer is complete and handed to the caller's stream. clean: nothing came behind it. */
void exchange_finish(struct exchange *x, bool clean);

/* Something has happened: (re)starts answer-timeout or body-timeout, whoever's turn it is now. */
void exchange_await(struct exchange *x);

/* ---- exchange_request.c ---- */

/* Reads the body's framing and the rules of repetition out of the head. */
void exchange_request_start(struct exchange *x, const struct head *h);

/* Writes the head as the tenant's server gets it. */
void exchange_request_edit(struct exchange *x, const struct head *h, const struct target *t);

/* Sends the head, if it was not sent, and as much of the body as there is; returns the bytes
 * used. */
size_t exchange_request_push(struct exchange *x, struct slice bytes);

/* Prepares to send everything again, on another connection. */
bool exchange_request_rewind(struct exchange *x);

size_t exchange_on_caller_data(void *ctx, struct slice bytes);
void exchange_on_server_drained(void *ctx);
void exchange_on_server_write_broken(void *ctx);

/* ---- exchange_answer.c ---- */

size_t exchange_on_server_data(void *ctx, const char *p, size_t n);
void exchange_on_server_end(void *ctx);
void exchange_on_server_broken(void *ctx, const struct failure *why);
void exchange_on_caller_drained(void *ctx);

#endif
