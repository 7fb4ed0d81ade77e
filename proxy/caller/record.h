/*
 * record: what is known of an exchange when it is over. The hook
 * clients_shared.on_record gets one for each exchange, for the access log and
 * the metrics.
 */
#ifndef CALLER_RECORD_H
#define CALLER_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/fail.h"
#include "base/slice.h"
#include "caller/caller_id.h"
#include "net/way_times.h"

struct cause;
struct ledger_cell;

enum { REQUEST_ID_SIZE = 16 + 1 }; /* 64 bits in hex, and the NUL */

/* All views are valid during the hook's call only. */
struct record {
    const char *id;           /* of REQUEST_ID_SIZE, NUL included */
    const char *tenant;       /* NULL: the tenant is not known */
    struct ledger_cell *cell; /* the tenant's counts; NULL like tenant */
    const struct caller_id *caller;
    /* The user whose password was right (callers-file); NULL: none. */
    const char *user;
    struct slice method;   /* empty: the head could not be read */
    struct slice path;     /* as sent, without the query */
    int status;            /* that the caller got; 0: no answer */
    uint64_t bytes_in;     /* bytes of content sent to the server */
    uint64_t bytes_out;    /* bytes of content passed to the caller */
    int64_t begun_wall_us; /* when the request's first byte came */
    /* From the request's first byte to the answer's; -1: there was no answer. */
    int64_t first_us;
    int64_t total_us;
    bool reused;                   /* the connection to the server was used before */
    const char *tls;               /* "TLSv1.3", or NULL: no server was reached */
    int identity;                  /* the certificate under which it was sent */
    const struct failure *failure; /* NULL: the exchange succeeded */
    /* The cause of the server's own error (the hint); NULL: none is known. */
    const struct cause *cause;
    const char *sentence;        /* explains the cause in this case */
    const struct way_times *way; /* times of the connection; NULL: none */
    struct buf *room;            /* empty memory for the hook */
    /* A place for the hook's counts: one for each tenant and worker, NULL at first. It lives as
     * long as the worker. */
    void **counts;
};

/* Why the exchange failed, in the words that the log, the metrics and the status share. */
struct record_words {
    /* The failure's token; NULL: the server itself answered with an error. */
    const char *token;
    const char *code, *sentence, *cure;
};

/* Returns false if the exchange did not fail, or failed for an unknown reason. */
bool record_words(const struct record *r, struct record_words *out);

typedef void record_hook(void *ctx, const struct record *r);

#endif
