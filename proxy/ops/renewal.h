/*
 * renewal: fetching certificates from BTP, on the side of the process that
 * serves. It starts the guard (renewal_guard.h), which starts the keeper
 * (renewal_keeper.h). It tells the keeper of reloads, and receives its records,
 * which the log, the status and the metrics show. A usual reload loads the
 * changed files.
 */
#ifndef OPS_RENEWAL_H
#define OPS_RENEWAL_H

#include "config/config.h"
#include "ops/renewal_record.h"

struct renewal;

/* Starts the guard: this program again, with these arguments. Call it before the sandbox and before
 * any thread. c: the passphrase variables of its other tenants are not passed on. */
enum status renewal_start(const struct config *c, const char *const arguments[],
                          struct renewal **out, struct diag *why) MUST_CHECK;

/* Starts the thread that receives records. False: no thread can be started. */
bool renewal_watch(struct renewal *r);

/* Ends the thread. Guard and keeper end too, because the socket is closed. NULL is allowed. */
void renewal_stop(struct renewal *r);

/* Tells the keeper that c is in use now. Any thread. NULL is allowed. */
void renewal_reloaded(struct renewal *r, const struct config *c);

/* What is known about a tenant. Times are seconds since 1970; 0: never. */
struct renewal_facts {
    int64_t fetched;                /* when BTP last had a usable certificate */
    int64_t next;                   /* when BTP will be asked next */
    uint64_t failures[CAUSE_COUNT]; /* for each cause */
    const struct cause *cause;      /* why fetching fails now; NULL: it does not */
    int64_t failed;                 /* when it last failed */
    struct diag why;
    bool is_over; /* the keeper has ended: nothing is fetched any more */
};

/* The facts about a tenant. Any thread. r NULL: nothing is fetched. */
void renewal_ask(struct renewal *r, const char *tenant, struct renewal_facts *out);

#endif
