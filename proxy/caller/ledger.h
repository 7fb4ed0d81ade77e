/*
 * ledger: what has become of the calls that one worker served: counts and times
 * for each tenant, and the last failures, each kind once.
 *
 * Its worker writes, without a lock; any thread adds up those of all workers
 * when it is asked (ledger_add_up(), ledger_failures()). All that is kept lives
 * as long as the ledger.
 */
#ifndef CALLER_LEDGER_H
#define CALLER_LEDGER_H

#include <stdatomic.h>

#include "caller/record.h"
#include "config/config.h"

enum { LEDGER_FAILURES = 100, LEDGER_TENANT_SIZE = 33, LEDGER_SENTENCE_SIZE = 768 };

struct ledger;
struct ledger_cell; /* of one tenant; a reload that keeps the name keeps it */

/* Becomes one of *all, which outlives it. Before threads run. */
struct ledger *ledger_new(struct ledger **all);
void ledger_free(struct ledger *l); /* NULL is allowed */

/* Of the tenant, as it is configured now. Its worker's thread. */
struct ledger_cell *ledger_cell(struct ledger *l, const struct tenant *t);

/* Its place for whoever counts: see record.h. */
void **ledger_counts(struct ledger_cell *c);

/* An exchange is over; r->cell may be NULL. Its worker's thread. */
void ledger_note(struct ledger *l, const struct record *r);

/* ---- for whoever asks; times in microseconds since 1970, 0: never ---- */

struct ledger_sum {
    int64_t begun;                                   /* the first of the ledgers */
    uint64_t calls, succeeded, failed, hinted;       /* succeeded: with a status below 400 */
    int64_t last_success, last_failure, last_answer; /* answer: below 500, with no known cause */
    struct ledger_identity {
        int64_t since;            /* the certificate is configured */
        int64_t last_success;     /* under it */
        int64_t last_refusal;     /* of it */
        int64_t previous_success; /* of the one that a reload replaced by it */
    } identities[IDENTITIES];
};
void ledger_add_up(const struct ledger *all, const char *tenant, struct ledger_sum *out);

/* A kind of failure. */
struct ledger_failure {
    int64_t first, last;
    uint64_t count;
    const char *token;               /* of the failure; NULL: the server's own answer, passed on */
    const char *code, *cure;         /* failure_code(), or of the cause */
    int64_t status;                  /* the last one's; 0: no answer */
    int64_t hinted;                  /* 1: the answer had a hint */
    char tenant[LEDGER_TENANT_SIZE]; /* "": none */
    char sentence[LEDGER_SENTENCE_SIZE];
};

/* Those of all workers, the latest first; at most LEDGER_FAILURES. The caller frees it. */
struct ledger_failure *ledger_failures(const struct ledger *all, size_t *count);

#endif
