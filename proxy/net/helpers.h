/*
 * helpers: threads for work that blocks, so that no loop waits for it. Each
 * kind of work has some of its own, which are made when they are needed.
 *
 * A job belongs to its loop's thread until it is submitted and again once it is
 * done.
 */
#ifndef NET_HELPERS_H
#define NET_HELPERS_H

#include "base/status.h"
#include "net/loop.h"

enum helper_kind {
    HELPERS_NAMES,  /* look-ups */
    HELPERS_LOGINS, /* Kerberos and NTLM */
    HELPERS_KINDS
};

struct helper_job {
    struct list node;
    struct loop *loop;
    void (*work)(struct helper_job *j); /* in one of the threads */
    void (*done)(struct helper_job *j); /* then in the loop's */
    void (*drop)(struct helper_job *j); /* instead of done, in any thread: the process ends */
};

/* False: too many wait, and nothing was begun. */
bool helpers_submit(enum helper_kind kind, struct helper_job *j) MUST_CHECK;

/* Before the loops of the process are freed: what is still awaited is dropped. */
void helpers_stop(void);

#endif
