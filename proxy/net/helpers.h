/*
 * helpers: threads for work that blocks, so that no loop waits for it. Each
 * kind of work has its own threads, which start when they are needed.
 *
 * A job belongs to its loop's thread, except from its submission until it is
 * done.
 */
#ifndef NET_HELPERS_H
#define NET_HELPERS_H

#include "base/status.h"
#include "net/loop.h"

enum helper_kind {
    HELPERS_NAMES,  /* lookups of names */
    HELPERS_LOGINS, /* logins by Kerberos and NTLM */
    HELPERS_KINDS
};

struct helper_job {
    struct list node;
    struct loop *loop;
    void (*work)(struct helper_job *j); /* runs in a helper thread */
    void (*done)(struct helper_job *j); /* runs afterwards in the loop's thread */
    /* runs instead of done, in any thread, when the process ends */
    void (*drop)(struct helper_job *j);
};

/* Returns false if too many jobs wait; j still belongs to the user then. */
bool helpers_submit(enum helper_kind kind, struct helper_job *j) MUST_CHECK;

/* Ends the threads and drops the jobs that are not done. Call it before the loops are freed. */
void helpers_stop(void);

#endif
