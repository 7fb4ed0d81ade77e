/* Does the tenant's callers-file know who calls? Asked before anything is sent, or connected. */
#include "base/mem.h"
#include "core/checker.h"
#include "core/exchange_parts.h"
#include "http/basic.h"

static void refuse(struct exchange *x, const char *what)
{
    struct failure why;

    failure_set(&why, FAIL_CALLER_UNKNOWN, "The request %s.", what);
    exchange_fail(x, &why);
}

static void on_checked(void *ctx, bool fits)
{
    struct exchange *x = ctx;

    x->check = NULL;
    x->admitted = fits;
    if (fits)
        exchange_go_on(x);
    else
        refuse(x, "has Basic credentials that this tenant does not know");
}

static bool ask(struct exchange *x, const struct basic *b)
{
    const struct tenant *t = x->tenant;
    struct credentials what = {.tenant = t->name,
                               .hash = callers_hash(t->callers, b->user),
                               .user = b->user,
                               .password = b->password};

    if (x->worker->config->log_caller)
        x->user = mem_copy_bytes(b->user.p, b->user.n);
    switch (
        checker_ask(x->worker->shared->checker, x->worker->loop, &what, on_checked, x, &x->check)) {
    case CHECKER_FITS:
        x->admitted = true;
        return true;
    case CHECKER_FULL:
        exchange_fail_plain(x, FAIL_CHECKS_FULL);
        return false;
    default:
        return false;
    }
}

bool exchange_admit(struct exchange *x, const struct head *h)
{
    struct basic b;

    if (head_count(h, FIELD_AUTHORIZATION) != 1 ||
        !basic_read(head_value(h, FIELD_AUTHORIZATION), &b)) {
        refuse(x, "lacks the Basic credentials that this tenant asks for");
        return false;
    }
    bool admitted = ask(x, &b);
    basic_wipe(&b);
    return admitted;
}
