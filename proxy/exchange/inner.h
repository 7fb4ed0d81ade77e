/*
 * The inside of an exchange, shared by the files of this folder only.
 *
 * exchange.c is the coordinator: it alone changes the state, writes, pauses,
 * acquires, repeats and fails. The other files decide: they look at one thing,
 * and return what is to be done next as a decision. None of them calls back.
 */
#ifndef EXCHANGE_INNER_H
#define EXCHANGE_INNER_H

#include "caller/checker.h"
#include "caller/client.h"
#include "exchange/answer_pump.h"
#include "exchange/exchanges.h"
#include "exchange/request_pump.h"
#include "upstream/origin.h"

/* The state of an exchange. The legal moves: state.c. */
enum exchange_state {
    EXCHANGE_JUDGE,   /* the head of the request is being judged */
    EXCHANGE_ADMIT,   /* the caller's password is being checked */
    EXCHANGE_COLLECT, /* the body is taken before anything is sent */
    EXCHANGE_ACQUIRE, /* it waits for a connection */
    EXCHANGE_SEND,    /* the request goes out; the caller has nothing of the answer */
    EXCHANGE_STREAM,  /* the caller has the final head; the bodies flow */
    EXCHANGE_OVER,
};

/* The request's half. */
enum upload {
    UPLOAD_HELD,    /* what the caller sends stays in its stream */
    UPLOAD_FLOWING, /* it is taken as it comes */
    UPLOAD_BLOCKED, /* the server is slower than the caller */
    UPLOAD_DONE,    /* all of it was handed to the server's stream */
    UPLOAD_DEAD,    /* the server takes no more; its answer may be on the way */
};

/* The answer's half. */
enum download {
    DOWNLOAD_NONE,    /* no byte of it has come */
    DOWNLOAD_FLOWING, /* it is passed on as it comes */
    DOWNLOAD_HELD,    /* there is more to pass on, in the next turn */
    DOWNLOAD_BLOCKED, /* the caller is slower than the server */
};

struct exchange {
    struct exchanges *all;
    struct client *client;
    struct generation *generation; /* whose tenant it is, whatever is configured meanwhile */
    enum exchange_state state;
    enum upload upload;
    enum download download;

    /* who calls, and whom */
    struct origin *origin; /* NULL: not known (yet), as are tenant and cell */
    const struct tenant *tenant;
    struct ledger_cell *cell;       /* what becomes of the tenant's calls */
    const struct page_origin *page; /* of another origin that may call; NULL: no such page asks */
    struct buf base;        /* where the caller finds the server (links.h); empty: links stay */
    struct check *check;    /* the caller's password is being checked; NULL: it is not */
    char *user;             /* whose password that is; NULL: nobody asks */
    bool admitted;          /* it was right */
    struct failure *barred; /* the tenant's rules do not cover the request; NULL: they do */

    /* the request */
    enum method method;
    int minor;
    struct request_pump request;
    bool forwards_authorization; /* the server gets the caller's own */
    bool asks_for_part;          /* its Range travels */
    bool reuses_session;         /* the server's, in the place of a caller without cookies */
    bool has_own_token;          /* X-CSRF-Token */
    uint64_t session_sent;       /* number of the session with which it was sent; 0: none */
    size_t session_bytes;        /* of the head, before the empty line */
    bool heeded;                 /* that the answer refuses it for now */

    /* the connection */
    struct manners *manners; /* toward the server; NULL: as tenant */
    struct pass pass;
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
    struct answer_pump answer;
    unsigned interim; /* 1xx responses so far */
    bool upstream_persists;
    int64_t idle_ms;           /* for how long the server keeps the connection */
    struct task go_on;         /* with an answer that is held, in the next turn */
    struct timer look_timer;   /* the beginning of an error's content is waited for */
    bool looked_long;          /* no longer */
    const struct cause *cause; /* the hint that the answer gets; NULL: none */
    struct buf sentence;       /* of it */

    struct timer answer_timer; /* the server has to do something */
    struct timer caller_timer; /* the caller has to do something */

    /* what the record says */
    char id[REQUEST_ID_SIZE];
    int64_t begun_us, first_us;
    int64_t attached_us; /* it has had its connection since then; only for server-timing */
    int status;
    struct failure *failure; /* NULL: none */
};

/* ---- decisions ---- */

enum step {
    STEP_WAIT,    /* for the next event */
    STEP_COLLECT, /* what there is of the body */
    STEP_CONNECT, /* take a connection */
    STEP_SEND,    /* what there is of the request */
    STEP_PASS,    /* what there is of the answer */
    STEP_REPEAT,  /* everything, over another connection; if that can be done */
    STEP_FINISH,  /* the answer is complete and handed to the caller's stream */
    STEP_FAIL,    /* the exchange has failed: x->failure */
};

struct decision {
    enum step step;
    enum acquire_kind kind; /* CONNECT, REPEAT; ACQUIRE_UNDER: x->acquire.identity is wanted */
    bool clean;             /* FINISH: nothing came after the answer */
};

#define DECIDE(step_) ((struct decision){.step = (step_)})

/* ---- state: the states and the failures ---- */

const char *exchange_state_name(enum exchange_state state); /* "acquire" */
bool exchange_may_move(enum exchange_state from, enum exchange_state to);
void exchange_set_state(struct exchange *x, enum exchange_state to);

/* For the record; alone, the exchange goes on. */
void exchange_note_failure(struct exchange *x, const struct failure *why);

/* Notes it: FAIL. */
struct decision exchange_fails(struct exchange *x, const struct failure *why);
struct decision exchange_fails_plain(struct exchange *x, enum fail id);

/* The server's connection is of no use any more: REPEAT if that is allowed, else FAIL. */
struct decision exchange_loses_upstream(struct exchange *x, const struct failure *why);

/* Something has happened: (re)starts answer-timeout or body-timeout, whoever's turn it is now. */
void exchange_await(struct exchange *x);

/* ---- judge: from a request's head to a tenant and an edited head ---- */

/* Judges the request and prepares what is sent. CONNECT or COLLECT; WAIT while the caller's
 * password is checked (exchange_judge_caller() comes then); FAIL; FINISH: the proxy itself has
 * answered. */
struct decision exchange_judge(struct exchange *x, const struct client_request *r,
                               check_done *checked);

/* The caller is known, or not. */
struct decision exchange_judge_caller(struct exchange *x, bool known);

/* What answers say to pages of other origins; NULL: nothing. */
const char *exchange_page_fields(const struct exchange *x);

/* ---- identity: under which of the tenant's certificates ---- */

/* Which connection is to be taken: CONNECT; FAIL. */
struct decision exchange_choose_identity(struct exchange *x);

/* The server has refused the certificate, and the caller has seen nothing of it. REPEAT, or WAIT:
 * nothing can be done about it. */
struct decision exchange_judge_refusal(struct exchange *x);

/* Does the answer refuse the certificate? If it is an error, why (x->cause)? rest: what came after
 * its head so far. PASS; WAIT: more of its content has to come first; REPEAT. */
struct decision exchange_judge_answer(struct exchange *x, const struct head *h, struct slice rest);

/* ---- manners: what the server wants of those that call it ---- */

/* May it be sent now? CONNECT: yes; WAIT: resumed comes later; FAIL. */
struct decision exchange_enter_gate(struct exchange *x,
                                    void (*resumed)(void *ctx, const struct failure *why));

/* The server has answered 429 or 503, and may have said for how long. */
void exchange_heed(struct exchange *x, const struct head *h);

/* The path as the server gets it, without the query. */
struct slice exchange_path(const struct exchange *x);

/* ---- session_reuse: the server's session, for a caller without cookies ---- */

/* Decides whether it is for this request (x->reuses_session). */
void exchange_want_session(struct exchange *x, const struct head *h);

/* It is sent now, over x->identity: adds the session to its head. */
void exchange_add_session(struct exchange *x);

/* Keeps the session that the answer sets, or forgets one. */
void exchange_learn_session(struct exchange *x, const struct head *h);

/* ---- answer: from the server's head to the caller's ---- */

/* May the caller get it? Not if it is a part of a content that is rewritten as a whole. PASS,
 * REPEAT, FAIL. */
struct decision exchange_judge_part(struct exchange *x, const struct head *h);

/* Writes the head of an interim answer into room; empty: the caller gets none. PASS, FAIL. */
struct decision exchange_write_interim(struct exchange *x, const struct head *h, struct buf *room);

/* Writes the final head into room and starts the pump for its body. */
void exchange_write_head(struct exchange *x, const struct head *h, struct buf *room);

/* ---- flow: bytes, between the pumps and the streams ---- */

/* Takes what there is of the body. CONNECT once it is whole; WAIT, FAIL. */
struct decision exchange_collect(struct exchange *x, struct slice *in);

/* Sends what there is of the request. WAIT, FAIL. */
struct decision exchange_send(struct exchange *x, struct slice *in);

/* Passes on what there is of the answer: heads, then the body. WAIT, REPEAT, FINISH, FAIL. */
struct decision exchange_pass(struct exchange *x, struct slice *in);

/* What the caller sends stays in its stream. */
void exchange_hold_caller(struct exchange *x);

/* ---- spare: memory ---- */

/* A new exchange, all zero but for its empty buffers. */
struct exchange *exchange_alloc(struct exchanges *all);

/* Takes x, which holds nothing any more but its buffers request.head and base. */
void exchange_recycle(struct exchange *x);
void exchange_free_spares(struct exchanges *all);

/* ---- end ---- */

/* The answer is complete. clean: nothing came after it on the connection. */
void exchange_finish(struct exchange *x, bool clean);

/* x->failure: the caller gets it as the answer, or is cut off if the answer has begun. */
void exchange_fail(struct exchange *x);

/* The caller is gone. */
void exchange_abandon(struct exchange *x, const struct failure *why);

void exchange_drop_upstream(struct exchange *x);

#endif
