/*
 * checker: does a password fit a hash? Found out beside the loops, for bcrypt
 * and yescrypt take up to a fifth of a second on purpose.
 *
 * One thread of the process (begun with the first question) tries one password
 * after the other. CHECKER_QUEUE different questions may wait; who asks what
 * waits already, or is being tried, gets the same answer. What fitted is known
 * for some minutes (see admitted.h). The hash is part of what is remembered:
 * after a reload, what fitted another hash is not known any more.
 *
 * Any loop's thread may ask; the answer comes to it by loop_post(). Passwords
 * are wiped as soon as they were tried.
 */
#ifndef CALLER_CHECKER_H
#define CALLER_CHECKER_H

#include "base/slice.h"
#include "net/loop.h"

enum { CHECKER_QUEUE = 64 };

struct checker;
struct check;

struct checker *checker_new(void);

/* Ends the thread; what waits is answered no more. Before the loops are freed. */
void checker_stop(struct checker *c);

/* Once it is stopped, and nothing waits: all is cancelled. */
void checker_free(struct checker *c);

struct credentials {
    const char *tenant, *hash;
    struct slice user, password;
};

enum checker_answer {
    CHECKER_FITS,  /* that is known */
    CHECKER_WAITS, /* done is called, but not from inside checker_ask() */
    CHECKER_FULL,  /* too many wait; nothing was begun */
};

typedef void check_done(void *ctx, bool fits);

/* Everything is copied. With CHECKER_WAITS, *out is what can be cancelled until done is called. */
enum checker_answer checker_ask(struct checker *c, struct loop *l, const struct credentials *what,
                                check_done *done, void *ctx, struct check **out);
void check_cancel(struct check *k); /* done is not called any more */

#endif
