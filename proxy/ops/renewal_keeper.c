#include "ops/renewal_keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "btp/season.h"
#include "ops/harden.h"
#include "ops/renewal_fetch.h"

enum { LOOK_MS = 120 * 1000, LONGEST_WAIT_MS = SECONDS_PER_HOUR * 1000 };

enum duty_state {
    DUTY_NEW,     /* look into the store at once, without asking BTP */
    DUTY_PLANNED, /* ask BTP at `due` */
};

/* One tenant that fetches. */
struct duty {
    char *tenant;
    struct season season;
    enum duty_state state;
    bool distrusted;      /* the certificate in the store does not fit private-key */
    int64_t due, planned; /* DUTY_PLANNED; planned: when due was set */
};

struct keeper {
    enum status (*load)(void *ctx, struct config **out, struct diag *why);
    void *ctx;
    struct config *config;
    struct duty *duties;
    size_t n;
    bool over;
};

static uint32_t chance(void)
{
    uint32_t n = 0;

    (void)!getrandom(&n, sizeof(n), GRND_NONBLOCK);
    return n;
}

/* ---- the tenants ---- */

static struct duty *find(struct keeper *k, const char *tenant)
{
    for (size_t i = 0; i < k->n; i++)
        if (strcmp(k->duties[i].tenant, tenant) == 0)
            return &k->duties[i];
    return NULL;
}

static void forget(struct duty *duties, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free(duties[i].tenant);
    free(duties);
}

/* For tenants that stay, the time of the last request and the pause that BTP has asked for stay
 * known. Failures are forgotten, because the reload may have cured them. */
static void adopt(struct keeper *k, struct config *c)
{
    struct duty *new = mem_new((c->ntenants + 1) * sizeof(new[0]));
    size_t n = 0;

    for (size_t i = 0; i < c->ntenants; i++) {
        if (!tenant_fetches(c->tenants[i]))
            continue;
        const struct duty *before = find(k, c->tenants[i]->name);
        struct duty *d = &new[n++];
        d->tenant = mem_copy_string(c->tenants[i]->name);
        if (before != NULL)
            d->season = before->season;
        d->season.failures = 0;
    }
    forget(k->duties, k->n);
    k->duties = new;
    k->n = n;
    config_unref(k->config);
    k->config = c;
}

/* ---- the process that serves ---- */

static void report(struct keeper *k, const struct renewal_record *r)
{
    if (send(RENEWAL_FD, r, sizeof(*r), MSG_NOSIGNAL) < 0)
        k->over = true;
}

/* The process that serves could read the configuration, but perhaps as another user. */
static void reload(struct keeper *k)
{
    struct renewal_record r = {.mark = RENEWAL_MARK, .outcome = RENEWAL_NOTICE};
    struct config *c;
    struct diag why;

    if (k->load(k->ctx, &c, &why) == ST_OK) {
        adopt(k, c);
        return;
    }
    (void)snprintf(r.sentence, sizeof(r.sentence),
                   "cannot read the configuration, and fetches %s until a reload: %s",
                   k->config == NULL ? "nothing" : "by the one before", diag_sentence(&why));
    report(k, &r);
}

/* names: a line feed before each. */
static void distrust(struct keeper *k, char *names)
{
    char *rest = names;

    for (size_t i = 0; i < k->n; i++)
        k->duties[i].distrusted = false;
    for (const char *name; (name = strtok_r(rest, "\n", &rest)) != NULL;) {
        struct duty *d = find(k, name);
        if (d != NULL)
            d->distrusted = true;
    }
}

static void take_orders(struct keeper *k)
{
    static char order[RENEWAL_ORDER_MAX + 1];
    ssize_t n = recv(RENEWAL_FD, order, sizeof(order) - 1, MSG_DONTWAIT);

    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        k->over = true;
    if (n <= 0)
        return;
    order[n] = '\0';
    if (order[0] == RENEWAL_RELOAD)
        reload(k);
    distrust(k, order + 1);
}

/* ---- one look ---- */

static const struct tenant *tenant_of(const struct keeper *k, const char *name)
{
    for (size_t i = 0; i < k->config->ntenants; i++)
        if (strcmp(k->config->tenants[i]->name, name) == 0)
            return k->config->tenants[i];
    return NULL;
}

static void look(const struct keeper *k, pid_t keeper, const struct duty *d, int to)
{
    struct renewal_record r;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != keeper)
        _exit(1);
    (void)close(RENEWAL_FD);
    harden_again();
    renewal_fetch(k->config, tenant_of(k, d->tenant), d->state == DUTY_PLANNED, d->distrusted, &r);
    _exit(write(to, &r, sizeof(r)) == (ssize_t)sizeof(r) ? 0 : 1);
}

/* Returns false if the look took too long, or the process that serves has ended. */
static bool wait_for(struct keeper *k, int from)
{
    int64_t end = clock_monotonic_us() / 1000 + LOOK_MS;

    while (!k->over) {
        struct pollfd fds[] = {{.fd = from, .events = POLLIN}, {.fd = RENEWAL_FD}};
        int64_t left = end - clock_monotonic_us() / 1000;
        if (left <= 0)
            return false;
        if (poll(fds, 2, (int)left) < 0)
            continue;
        if (fds[0].revents != 0)
            return true;
        if (fds[1].revents != 0) /* POLLHUP; orders wait until the look is over */
            k->over = true;
    }
    return false;
}

/* Makes the record of a look that has not reported: about the store, it has what is known already.
 */
static void report_lost_look(const struct duty *d, const char *sentence, struct renewal_record *out)
{
    *out = (struct renewal_record){.mark = RENEWAL_MARK,
                                   .outcome = RENEWAL_FAILED,
                                   .cause = CAUSE_BTP_HELPER,
                                   .time = clock_wall_s(),
                                   .not_before = d->season.not_before,
                                   .not_after = d->season.not_after,
                                   .looked = clock_wall_s()};
    (void)snprintf(out->tenant, sizeof(out->tenant), "%s", d->tenant);
    (void)snprintf(out->sentence, sizeof(out->sentence), "%s", sentence);
}

static bool is_report_about(const struct duty *d, const struct renewal_record *r, ssize_t n)
{
    return renewal_record_is_sound(r, n) && r->outcome != RENEWAL_NOTICE &&
           strcmp(r->tenant, d->tenant) == 0;
}

static void collect(struct keeper *k, const struct duty *d, pid_t child, int from,
                    struct renewal_record *out)
{
    char sentence[128];
    int status = 0;
    bool reported = wait_for(k, from) && is_report_about(d, out, read(from, out, sizeof(*out)));

    (void)kill(child, SIGKILL); /* it has nothing left to do */
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (reported)
        return;
    (void)snprintf(sentence, sizeof(sentence),
                   "the process that fetches has ended before it was done (%s %d)",
                   WIFSIGNALED(status) ? "signal" : "exit status",
                   WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    report_lost_look(d, sentence, out);
}

static void send_out(struct keeper *k, const struct duty *d, struct renewal_record *out)
{
    int ends[2];
    pid_t keeper = getpid(), child = -1;

    if (pipe2(ends, O_CLOEXEC) != 0) {
        report_lost_look(d, "there is no pipe to be had", out);
        return;
    }
    child = fork();
    if (child == 0)
        look(k, keeper, d, ends[1]);
    (void)close(ends[1]);
    if (child > 0)
        collect(k, d, child, ends[0], out);
    else
        report_lost_look(d, "no process can be started", out);
    (void)close(ends[0]);
}

/* ---- when ---- */

static void plan(struct duty *d)
{
    d->state = DUTY_PLANNED;
    d->planned = clock_wall_s();
    d->due = season_next(&d->season, d->planned, chance());
}

static void note(struct duty *d, struct renewal_record *r)
{
    struct season *s = &d->season;
    int64_t before = s->not_before;

    if (r->looked > s->looked || (r->looked != 0 && s->looked > clock_wall_s()))
        s->looked = r->looked;
    s->not_before = r->not_before;
    s->not_after = r->not_after;
    if (r->outcome == RENEWAL_FAILED) {
        s->failures++;
        s->wait = r->wait;
    } else if (r->outcome != RENEWAL_INSPECTED) {
        /* else another process that shares the store has renewed it */
        bool in_vain = r->outcome == RENEWAL_UNCHANGED && s->not_before == before &&
                       clock_wall_s() >= season_begins(s->not_before, s->not_after);
        s->failures = 0;
        s->wait = 0;
        s->unchanged = in_vain ? s->unchanged + 1 : 0;
    }
    plan(d);
    r->next = d->due;
}

static void attend(struct keeper *k, struct duty *d)
{
    struct renewal_record r;

    send_out(k, d, &r);
    note(d, &r);
    report(k, &r);
}

static int64_t due_of(const struct duty *d)
{
    return d->state == DUTY_NEW ? 0 : d->due;
}

static struct duty *first(struct keeper *k)
{
    struct duty *best = NULL;

    for (size_t i = 0; i < k->n; i++)
        if (best == NULL || due_of(&k->duties[i]) < due_of(best))
            best = &k->duties[i];
    return best;
}

/* Plans again what was planned while the clock was ahead, because it would be due too late. */
static void heed_clock(struct keeper *k)
{
    int64_t now = clock_wall_s();

    for (size_t i = 0; i < k->n; i++)
        if (k->duties[i].state == DUTY_PLANNED && k->duties[i].planned > now)
            plan(&k->duties[i]);
}

static int wait_ms(const struct duty *d)
{
    int64_t ms = d == NULL ? LONGEST_WAIT_MS : (due_of(d) - clock_wall_s()) * 1000;

    return ms < 0 ? 0 : ms > LONGEST_WAIT_MS ? LONGEST_WAIT_MS : (int)ms;
}

void renewal_keep(enum status (*load)(void *ctx, struct config **out, struct diag *why), void *ctx)
{
    struct keeper k = {.load = load, .ctx = ctx};

    reload(&k);
    while (!k.over) {
        heed_clock(&k);
        struct duty *d = first(&k);
        struct pollfd fd = {.fd = RENEWAL_FD, .events = POLLIN};
        int got = poll(&fd, 1, wait_ms(d));
        if (got > 0)
            take_orders(&k);
        else if (got == 0 && d != NULL && wait_ms(d) == 0)
            attend(&k, d);
    }
    forget(k.duties, k.n);
    config_unref(k.config);
}
