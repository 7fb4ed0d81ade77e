/*
 * ledger: the outcomes of the calls that one worker has served: counts and
 * times for each tenant, and the last failures, one for each kind.
 *
 * Only the worker writes, without a lock. Any thread may add up the ledgers of
 * all workers (ledger_add_up(), ledger_failures()). All that a ledger holds
 * lives as long as the ledger.
 */
#ifndef CALLER_LEDGER_H
#define CALLER_LEDGER_H

#include <stdatomic.h>

#include "caller/record.h"
#include "config/config.h"

enum {
    LEDGER_FAILURES = 100,      /* kinds of failures that are remembered */
    LEDGER_TENANT_SIZE = 33,    /* bytes of a tenant's name, and the NUL */
    LEDGER_SENTENCE_SIZE = 768, /* the same of a sentence; a longer one is cut */
};

struct ledger;
/* The counts of one tenant. They survive a reload that keeps the tenant's name. */
struct ledger_cell;

/* Adds a ledger to the list *all, which must outlive it. Call it before threads run. */
struct ledger *ledger_new(struct ledger **all);
void ledger_free(struct ledger *l); /* NULL is allowed */

/* The cell of the tenant as it is configured now; made if it is new. Only in the worker's
 * thread. */
struct ledger_cell *ledger_cell(struct ledger *l, const struct tenant *t);

/* The place in the cell for the counts of the on_record hook: see record.h. */
void **ledger_counts(struct ledger_cell *c);

/* Notes an exchange that is over. r->cell may be NULL. Only in the worker's thread. */
void ledger_note(struct ledger *l, const struct record *r);

/* ---- for readers; times in microseconds since 1970, 0: never ---- */

struct ledger_sum {
    int64_t begun;                             /* when the first of the ledgers was made */
    uint64_t calls, succeeded, failed, hinted; /* succeeded: answered below 400 */
    /* last_answer: the last answer below 500 without a known cause of failure. */
    int64_t last_success, last_failure, last_answer;
    struct ledger_identity {
        int64_t since;            /* when this certificate was configured */
        int64_t last_success;     /* under this certificate */
        int64_t last_refusal;     /* when the server last refused this certificate */
        int64_t previous_success; /* of the certificate before the last reload */
    } identities[IDENTITIES];
};
void ledger_add_up(const struct ledger *all, const char *tenant, struct ledger_sum *out);

/* A kind of failure. */
struct ledger_failure {
    int64_t first, last;
    uint64_t count;
    /* the failure's token; NULL: the server itself answered with an error */
    const char *token;
    const char *code, *cure;         /* failure_code(), or those of the cause */
    int64_t status;                  /* of the last such failure; 0: no answer */
    int64_t hinted;                  /* 1: the answer had a hint */
    char tenant[LEDGER_TENANT_SIZE]; /* empty: of no tenant */
    char sentence[LEDGER_SENTENCE_SIZE];
};

/* The failures of all workers, the latest first, at most LEDGER_FAILURES. Free the result with
 * free(). */
struct ledger_failure *ledger_failures(const struct ledger *all, size_t *count);

#endif
