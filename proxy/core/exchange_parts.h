/*
 * The inside of an exchange: private to exchange.c and exchange_*.c.
 */
#ifndef CORE_EXCHANGE_PARTS_H
#define CORE_EXCHANGE_PARTS_H

#include "core/client.h"
#include "core/links.h"
#include "core/origin.h"
#include "core/upstream.h"
#include "http/body.h"
#include "http/edit.h"

enum {
    HELD_MAX = 64 * 1024,     /* of a body that was sent, to send it again */
    COLLECT_MAX = 256 * 1024, /* of a body that is sent only when it is whole, as it comes */
};

struct exchange {
    struct client *client;
    struct worker *worker;
    struct generation *generation; /* whose tenant it is, whatever is configured meanwhile */
    struct origin *origin;
    const struct tenant *tenant;    /* NULL: not known (yet), as is origin */
    const struct page_origin *page; /* of another origin that may call; NULL: no such page asks */
    bool over;

    /* what the record tells */
    char id[REQUEST_ID_SIZE];
    int64_t begun_us, first_us;
    int status;
    struct failure *failure; /* NULL: none */

    /* the request */
    enum method method;
    int minor;
    bool may_repeat;             /* RFC 9110, 9.2.2: idempotent, and nothing says otherwise */
    bool forwards_authorization; /* the server gets the caller's own */
    bool barred;                 /* the tenant's rules do not cover it: failure tells */
    bool asks_for_part;          /* its Range travels */
    bool expects;                /* the caller waits for 100 (Continue) before it sends the body */
    struct buf head; /* as the server gets it; as the caller sent it, if it never gets there */
    bool head_sent;
    struct body request;
    struct edit_trailer_rules request_trailers;
    struct buf
        base; /* where the caller finds the server (links.h); empty: links stay as they are */
    struct link_filter *request_links;
    bool collecting;   /* the body goes out as a whole: its length is known only then */
    size_t collected;  /* bytes of it that the process's quota counts */
    bool request_done; /* all of it was handed to the server's stream */
    struct buf held;   /* what was sent of the body, to send it again; what was collected of it */
    bool holding;
    bool upload_blocked; /* the server is slower than the caller */
    bool upload_dead;    /* the server takes no more; its answer may be on the way */

    struct check *check; /* the caller's password is being checked; NULL: it is not */
    char *user;          /* whose password that is; NULL: nobody asks */
    bool admitted;       /* it was right */

    /* the connection */
    struct acquire acquire;
    struct upstream *upstream;
    bool reused, repeated;
    const char *tls;

    /* the certificate */
    int identity;        /* of the connection, also of one that came to nothing */
    bool judges;         /* what becomes of this request says something about the certificate */
    bool tries_identity; /* it is the one request that tries the certificate that is not in use */
    bool changed_identity;

    /* the answer */
    struct h1_reader reader;
    unsigned interim;  /* 1xx responses so far */
    bool answer_begun; /* a byte of it has come */
    bool head_passed;  /* the caller has the final head */
    bool upstream_persists;
    int64_t idle_ms; /* for how long the server keeps the connection */
    struct body answer;
    struct edit_trailer_rules answer_trailers;
    struct link_filter *answer_links;
    bool download_blocked; /* the caller is slower than the server */
    bool answer_held;      /* there is more to pass on than was passed on so far */
    struct task go_on;     /* with an answer that is held, in the next turn */

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

/* Sends the request once more, over another connection, if it may; with ACQUIRE_UNDER the wanted
 * identity stands in x->acquire. False: nothing was done. */
bool exchange_repeat(struct exchange *x, enum acquire_kind kind);

/* Nothing holds the request up any more: takes a connection, or waits for one, and sends what there
 * is. */
void exchange_go_on(struct exchange *x);

/* Takes a connection, unless the body has to be collected first; true if the request can go on at
 * once. */
bool exchange_set_out(struct exchange *x);

/* The proxy itself has answered, and the answer is written. */
void exchange_finish_own(struct exchange *x, int status);

/* The answer is complete and handed to the caller's stream. clean: nothing came behind it. */
void exchange_finish(struct exchange *x, bool clean);

/* Something has happened: (re)starts answer-timeout or body-timeout, whoever's turn it is now. */
void exchange_await(struct exchange *x);

/* ---- exchange_request.c ---- */

/* Reads the body's framing and the rules of repetition out of the head. */
void exchange_request_start(struct exchange *x, const struct head *h);

/* Writes the head as the tenant's server gets it, and decides what becomes of its body. */
void exchange_request_edit(struct exchange *x, const struct head *h, const struct target *t);

/* Sends the head, if it was not sent, and as much of the body as there is; returns the bytes
 * used. */
size_t exchange_request_push(struct exchange *x, struct slice bytes);

/* Prepares to send everything again, on another connection, if that may and can be done. */
bool exchange_request_may_rewind(const struct exchange *x);
bool exchange_request_rewind(struct exchange *x);

size_t exchange_on_caller_data(void *ctx, struct slice bytes);
void exchange_on_server_drained(void *ctx);
void exchange_on_server_write_broken(void *ctx);

/* ---- exchange_collect.c ---- */

/* May its body be collected, instead of going out in chunks? */
bool exchange_collect_may(const struct exchange *x, const struct head *h);

/* Takes what there is of the body; once `collecting` is false, the head is finished, and what was
 * collected is in `held`, to be sent behind it. */
enum body_result exchange_collect(struct exchange *x, struct slice *in);

/* What was collected is sent, or is of no use any more. */
void exchange_collect_end(struct exchange *x);

/* ---- exchange_page.c ---- */

/* Does the page ask whether it may send a request? Then it gets its answer from here. */
bool exchange_is_preflight(const struct exchange *x, const struct head *h);
void exchange_answer_preflight(struct exchange *x, const struct head *h);

/* What answers say to pages; NULL: nothing. */
const char *exchange_page_fields(const struct exchange *x);

/* What of a page's request stays here, and of an answer is said by the proxy in place of the
 * server; field bits. */
uint64_t exchange_page_drops_request(const struct exchange *x);
uint64_t exchange_page_drops_answer(const struct exchange *x);

/* ---- exchange_caller.c ---- */

/* The tenant has a callers-file: true if it knows the caller. False: the request is refused, or
 * exchange_go_on() comes once the caller is known. */
bool exchange_admit(struct exchange *x, const struct head *h);

/* ---- exchange_identity.c ---- */

/* Decides whether, and under which of the tenant's certificates, the request can be sent: how to
 * acquire its connection. False: *why. */
bool exchange_choose_identity(struct exchange *x, enum acquire_kind *kind, struct failure *why);

/* The server has refused the certificate, and the caller has seen nothing of it. True if the
 * request is repeated under the tenant's other one. */
bool exchange_refused(struct exchange *x);

enum judgement {
    JUDGE_PASS,  /* the answer is to be passed on */
    JUDGE_WAITS, /* more of its content has to come first */
    JUDGE_OVER,  /* it is dropped, and the request is repeated */
};

/* Looks whether the answer refuses the certificate. rest: what came behind its head so far. */
enum judgement exchange_judge_answer(struct exchange *x, const struct head *h, struct slice rest);

/* ---- exchange_part.c ---- */

/* Whether the caller's Range stays here: field bits. Else the answer may be a part. */
uint64_t exchange_part_drops_request(struct exchange *x, const struct head *h);

/* Looks whether the answer is a part of one that is rewritten, which the caller must not get.
 * JUDGE_OVER: it is dropped, and the request repeated or failed. */
enum judgement exchange_judge_part(struct exchange *x, const struct head *h);

/* ---- exchange_answer.c ---- */

/* Of a body that is changed on its way, no digest may follow as a trailer. */
void exchange_drop_digests(struct edit_trailer_rules *rules);

size_t exchange_on_server_data(void *ctx, const char *p, size_t n);
void exchange_on_server_end(void *ctx);
void exchange_on_server_broken(void *ctx, const struct failure *why);
void exchange_go_on_with_answer(void *ctx); /* when it was held */
void exchange_on_caller_drained(void *ctx);

#endif
