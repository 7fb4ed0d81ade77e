/*
 * record: what is known of an exchange when it is over. The access log (and
 * whoever else counts) gets one for each, through clients_shared.on_record.
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

enum { REQUEST_ID_SIZE = 17 };

/* All views are valid during the call only. */
struct record {
    const char *id;           /* REQUEST_ID_SIZE, the NUL included */
    const char *tenant;       /* NULL: it never came so far */
    struct ledger_cell *cell; /* of the tenant; NULL: as tenant */
    const struct caller_id *caller;
    const char *user;      /* by whose password it was let in (callers-file); NULL: by none */
    struct slice method;   /* empty: the head could not be read */
    struct slice path;     /* as sent, without query */
    int status;            /* what the caller got; 0: nothing */
    uint64_t bytes_in;     /* content of the request, sent on */
    uint64_t bytes_out;    /* content of the answer, passed on */
    int64_t begun_wall_us; /* of the request's first byte */
    int64_t first_us;      /* from the request's first byte to the answer's; -1: none came */
    int64_t total_us;
    bool reused;                   /* the connection to the server had served before */
    const char *tls;               /* "TLSv1.3", or NULL: no server was reached */
    int identity;                  /* of the tenant, under which it was sent */
    const struct failure *failure; /* NULL: all went well */
    const struct cause *cause;     /* of the server's own error (the hint); NULL: none is known */
    const char *sentence;          /* the cause in this case */
    const struct way_times *way;   /* NULL: none */
    struct buf *room;              /* for whoever formats it; empty */
    void **counts;                 /* for whoever counts: a place of the worker's own for each
                                      tenant, NULL in it at first; lives as long as the worker */
};

/* Why the exchange failed, as all that tell of it say it. */
struct record_words {
    const char *token; /* of the failure; NULL: the server answered with an error of its own */
    const char *code, *sentence, *cure;
};

/* False: it did not fail, or for a reason that is not known. */
bool record_words(const struct record *r, struct record_words *out);

typedef void record_hook(void *ctx, const struct record *r);

#endif
