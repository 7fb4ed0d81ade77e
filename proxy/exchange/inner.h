/*
 * The inside of an exchange, shared by the files of this folder only.
 *
 * exchange.c coordinates: it handles all events, and only it takes connections,
 * repeats and ends exchanges. The other files decide: each looks at one aspect
 * and returns the next step as a decision. None of them calls back into
 * exchange.c.
 */
#ifndef EXCHANGE_INNER_H
#define EXCHANGE_INNER_H

#include "caller/checker.h"
#include "caller/client.h"
#include "exchange/answer_pump.h"
#include "exchange/exchanges.h"
#include "exchange/request_pump.h"
#include "policy/verdict.h"
#include "upstream/origin.h"

/* The state of an exchange. The legal moves: state.c. */
enum exchange_state {
    EXCHANGE_JUDGE,   /* the head of the request is being judged */
    EXCHANGE_ADMIT,   /* the caller's password is being checked */
    EXCHANGE_COLLECT, /* the body is collected before anything is sent */
    EXCHANGE_ACQUIRE, /* the exchange waits for a connection */
    EXCHANGE_SEND,    /* the request goes out; the caller has no final head yet */
    EXCHANGE_STREAM,  /* the caller has the final head; the bodies flow */
    EXCHANGE_OVER,
};

/* The state of the request. */
enum upload {
    UPLOAD_HELD,    /* what the caller sends stays in its stream */
    UPLOAD_FLOWING, /* the caller's bytes are taken as they come */
    UPLOAD_BLOCKED, /* the server reads more slowly than the caller sends */
    UPLOAD_DONE,    /* the whole request is in the server's stream */
    UPLOAD_DEAD,    /* the server has stopped reading; its answer may still come */
};

/* The state of the answer. */
enum download {
    DOWNLOAD_NONE,    /* no byte of the answer has come */
    DOWNLOAD_FLOWING, /* the answer is passed on as it comes */
    DOWNLOAD_HELD,    /* there is more to pass on in the loop's next turn */
    DOWNLOAD_BLOCKED, /* the caller reads more slowly than the server sends */
};

struct exchange {
    struct exchanges *all;
    struct client *client;
    struct generation *generation; /* keeps `tenant` alive while another one is in use */
    enum exchange_state state;
    enum upload upload;
    enum download download;

    /* who calls, and whom; origin, tenant, cell and manners are NULL until the tenant is known */
    struct origin *origin;
    const struct tenant *tenant;
    struct ledger_cell *cell; /* counts the outcomes of the tenant's calls */
    /* The web page of another origin that sent the request and may; NULL: there is none. */
    const struct page_origin *page;
    /* The URL under which the caller finds the server (links.h); empty: links are not changed. */
    struct buf base;
    struct check *check; /* the running check of the caller's password; NULL: none */
    char *user;          /* the user of that password; NULL: none was asked for */
    bool admitted;       /* the password was right */
    /* why the tenant's rules (allow) refuse the request; NULL: they allow it */
    struct failure *barred;

    /* the request */
    enum method method;
    int minor;
    struct request_pump request;
    bool is_answered_here;       /* an OPTIONS that the server does not get (judgement.h) */
    bool forwards_authorization; /* the server gets the caller's Authorization */
    bool asks_for_part;          /* the server gets the caller's Range */
    bool reuses_session;         /* the caller has no cookies, so a kept session is used */
    bool has_own_token;          /* the request has an X-CSRF-Token */
    uint64_t session_sent;       /* number of the session that was sent; 0: none */
    size_t session_bytes;        /* length of the session's fields at the head's end */
    bool heeded;                 /* this answer's 429 or 503 was noted */

    /* the connection */
    struct manners *manners; /* how often the server wants to be called */
    struct crossing crossing;
    struct acquire acquire;
    struct upstream *upstream;
    bool reused;
    bool lost_before; /* a connection was lost before, and the request repeated */
    const char *tls;

    /* the certificate */
    /* The certificate of the connection, also of a connection that could not be made. */
    int identity;
    enum witness witness; /* what the outcome can say about the certificates */

    /* the answer */
    struct answer_pump answer;
    unsigned interim; /* number of 1xx responses so far */
    /* Why the connection cannot serve another request, as far as the answer shows; NULL: it can. */
    const char *closing;
    int64_t idle_ms;           /* how long the connection may stay idle */
    struct task go_on;         /* passes on more of a held answer in the next turn */
    struct timer look_timer;   /* limits the wait for an error's content */
    bool looked_long;          /* look_timer has expired */
    const struct cause *cause; /* the cause that the hint names; NULL: no hint */
    struct buf sentence;       /* the hint's sentence */

    struct timer answer_timer; /* the server's turn */
    struct timer caller_timer; /* the caller's turn */

    /* for the record */
    char id[REQUEST_ID_SIZE];
    int64_t begun_us, first_us;
    int64_t attached_us; /* when the connection was there; only for server-timing */
    int status;
    struct failure *failure; /* NULL: none */
};

/* ---- decisions ---- */

enum step {
    STEP_WAIT,    /* do nothing until the next event */
    STEP_COLLECT, /* collect the bytes of the body that are at hand */
    STEP_CONNECT, /* take a connection */
    STEP_SEND,    /* send the bytes of the request that are at hand */
    STEP_RELAY,   /* relay the bytes of the answer that are at hand */
    STEP_REPEAT,  /* send all of it again over another connection */
    STEP_FINISH,  /* end: the answer is complete, in the caller's stream */
    STEP_FAIL,    /* end: the exchange has failed with x->failure */
    STEP_NONE,    /* nothing is decided: the function's caller has to decide; never performed */
};

struct decision {
    enum step step;
    /* For CONNECT and REPEAT. ACQUIRE_UNDER: under the certificate x->acquire.identity. */
    enum acquire_kind kind;
    /* Why the connection is closed, for the trace (upstream_close()). REPEAT: always. FINISH: NULL
     * if the answer allows to keep it. Static. */
    const char *closing;
};

#define DECIDE(step_) ((struct decision){.step = (step_)})

/* ---- state: the states and the failures ---- */

bool exchange_may_move(enum exchange_state from, enum exchange_state to);
void exchange_set_state(struct exchange *x, enum exchange_state to);

/* Notes the failure for the record. The exchange goes on. */
void exchange_note_failure(struct exchange *x, const struct failure *why);

/* Notes the failure and returns FAIL. */
struct decision exchange_fails(struct exchange *x, const struct failure *why);
struct decision exchange_fails_plain(struct exchange *x, enum fail id);

/* The connection to the server cannot be used any more. Returns REPEAT if the request may be sent
 * again, otherwise FAIL. */
struct decision exchange_loses_upstream(struct exchange *x, const struct failure *why);

/* Something has happened: starts again the timer of the side whose turn it is (answer-timeout for
 * the server, body-timeout for the caller). */
void exchange_await(struct exchange *x);

/* ---- judge: from a request's head to a tenant and an edited head ---- */

/* Judges the request and prepares what the server gets. Returns CONNECT or COLLECT; WAIT while the
 * caller's password is checked (then call exchange_judge_caller()); FAIL; FINISH if the proxy
 * itself has answered. */
struct decision exchange_judge(struct exchange *x, const struct client_request *r,
                               check_done *checked);

/* The check of the caller's password has ended. known: the password was right. Returns CONNECT,
 * COLLECT or FAIL. */
struct decision exchange_judge_caller(struct exchange *x, bool known);

/* The fields that allow web pages of other origins to read the answer (CORS); NULL: none. */
const char *exchange_page_fields(const struct exchange *x);

/* ---- identity: which of the tenant's certificates ---- */

/* Chooses the certificate for the request. Returns CONNECT; FAIL if no certificate is valid now. */
struct decision exchange_choose_identity(struct exchange *x);

/* The server has refused the certificate, and the caller has got nothing of the answer. Returns
 * REPEAT, or NONE if another certificate cannot help. */
struct decision exchange_judge_refusal(struct exchange *x);

/* Judges by the answer whether the server refuses the certificate, and finds the cause of an error
 * (x->cause). rest: what came after the answer's head so far. Returns RELAY, REPEAT, or WAIT if
 * more of the content is needed. */
struct decision exchange_judge_answer(struct exchange *x, const struct head *h, struct slice rest);

/* ---- throttle: how often the server wants to be called ---- */

/* Asks whether the request may be sent now. Returns CONNECT if so, FAIL, or WAIT if it has to wait
 * for its turn: `resumed` is called then, with why == NULL if its turn has come. */
struct decision exchange_enter_gate(struct exchange *x,
                                    void (*resumed)(void *ctx, const struct failure *why));

/* The server has answered 429 or 503: notes for how long it wants no such requests
 * (Retry-After). */
void exchange_heed(struct exchange *x, const struct head *h);

/* The path as the server gets it, without the query. */
struct slice exchange_path(const struct exchange *x);

/* ---- session_reuse: a kept session, for a caller without cookies ---- */

/* Decides whether this request uses a kept session (x->reuses_session). */
void exchange_want_session(struct exchange *x, const struct head *h);

/* The request is about to be sent under x->identity: adds the kept session's fields to its head. */
void exchange_add_session(struct exchange *x);

/* Keeps the session that the answer sets, or forgets the session that the answer ends. */
void exchange_learn_session(struct exchange *x, const struct head *h);

/* ---- answer: from the server's head to the caller's ---- */

/* Judges a partial answer. The caller cannot get a part of a content that is rewritten as a whole.
 * Returns RELAY, REPEAT or FAIL. */
struct decision exchange_judge_part(struct exchange *x, const struct head *h);

/* Writes the head of an interim (1xx) answer into room; nothing if the caller gets none. Returns
 * RELAY or FAIL. */
struct decision exchange_write_interim(struct exchange *x, const struct head *h, struct buf *room);

/* Writes the final head into room and starts the pump for its body. */
void exchange_write_head(struct exchange *x, const struct head *h, struct buf *room);

/* ---- flow: bytes, between the pumps and the streams ---- */

/* Collects the bytes of the body that are at hand. Returns CONNECT once the body is complete, WAIT
 * or FAIL. in: moved past the bytes used, here and below. */
struct decision exchange_collect(struct exchange *x, struct slice *in);

/* Sends the bytes of the request that are at hand. Returns WAIT or FAIL. */
struct decision exchange_send(struct exchange *x, struct slice *in);

/* Passes on the bytes of the answer that are at hand: heads, then the body. Returns WAIT, REPEAT,
 * FINISH or FAIL. */
struct decision exchange_relay(struct exchange *x, struct slice *in);

/* Stops reading from the caller; further bytes stay in its stream. */
void exchange_hold_caller(struct exchange *x);

/* ---- spare: memory of exchanges ---- */

/* Returns a new exchange. All is zero, except that its buffers may have memory already. */
struct exchange *exchange_alloc(struct exchanges *all);

/* Takes the memory of x, which by now owns nothing but its buffers request.head and base. */
void exchange_recycle(struct exchange *x);
void exchange_free_spares(struct exchanges *all);

/* ---- end ---- */

/* The answer is complete. closing: see struct decision. */
void exchange_finish(struct exchange *x, const char *closing);

/* Ends with x->failure. The caller gets the failure as the answer, or is cut off if the answer has
 * begun. */
void exchange_fail(struct exchange *x);

/* Ends because the caller has gone. */
void exchange_abandon(struct exchange *x, const struct failure *why);

/* Closes the connection, if there is one. reason: see upstream_close(). */
void exchange_drop_upstream(struct exchange *x, const char *reason);

#endif
