/*
 * checker: does a password fit a hash? A thread beside the loops finds out,
 * because bcrypt and yescrypt take up to a fifth of a second on purpose.
 *
 * One thread of the process tries one password after the other. It starts with
 * the first question. At most CHECKER_QUEUE different questions wait; somebody
 * who asks the same question gets the same answer. Credentials that fitted are
 * remembered for some minutes (admitted.h). The hash is part of what is
 * remembered, so credentials whose hash a reload has changed are checked again.
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

/* Ends the thread; waiting questions get no answer any more. Call it before the loops are freed. */
void checker_stop(struct checker *c);

/* Call it after checker_stop(), when all checks have been cancelled. */
void checker_free(struct checker *c);

struct credentials {
    const char *tenant, *hash;
    struct slice user, password;
};

enum checker_answer {
    CHECKER_FITS,  /* they fit, as is known already */
    CHECKER_WAITS, /* `done` will be called, but not inside checker_ask() */
    CHECKER_FULL,  /* too many wait; nothing was begun */
};

typedef void check_done(void *ctx, bool fits);

/* Asks whether the credentials fit. All of *what is copied. CHECKER_WAITS: *out can be cancelled
 * until `done` is called, in the thread of l. */
enum checker_answer checker_ask(struct checker *c, struct loop *l, const struct credentials *what,
                                check_done *done, void *ctx, struct check **out);
void check_cancel(struct check *k); /* `done` is not called any more */

#endif
