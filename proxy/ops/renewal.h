/*
 * renewal: certificates that are fetched from BTP, as the process that serves
 * sees it: it starts the guard (renewal_guard.h), which starts the keeper
 * (renewal_keeper.h), tells that one of reloads, and takes its records, which
 * the log, the status and the metrics show. The files that change are taken by
 * the usual reload.
 */
#ifndef OPS_RENEWAL_H
#define OPS_RENEWAL_H

#include "config/config.h"
#include "ops/renewal_record.h"

struct renewal;

/* Starts the guard: this program again, with these arguments. Before the process is confined, and
 * before any thread. c: of which variables the keeper needs none. */
enum status renewal_start(const struct config *c, const char *const arguments[],
                          struct renewal **out, struct diag *why) MUST_CHECK;

/* Begins to take records, in a thread of its own; false: there is none to be had. */
bool renewal_watch(struct renewal *r);

/* Ends guard and keeper, too. NULL is allowed. */
void renewal_stop(struct renewal *r);

/* Another configuration is in use. Any thread. NULL is allowed. */
void renewal_reloaded(struct renewal *r, const struct config *c);

/* What is known of a tenant. Times in seconds since 1970; 0: never. */
struct renewal_facts {
    int64_t fetched;                /* when BTP last gave a certificate that can be used */
    int64_t next;                   /* when it is asked next */
    uint64_t failures[CAUSE_COUNT]; /* by cause */
    const struct cause *cause;      /* why it fails now; NULL: it does not */
    int64_t failed;                 /* when it failed last */
    struct diag why;
    bool is_over; /* the keeper has ended, and nothing is fetched any more */
};

/* Any thread. r NULL: nothing is fetched. */
void renewal_ask(struct renewal *r, const char *tenant, struct renewal_facts *out);

#endif
