#include "ops/renewal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "ops/renewal_keeper.h"

struct seen {
    char tenant[RENEWAL_TENANT_SIZE];
    struct renewal_facts facts;
};

struct renewal {
    int fd, wake;
    bool watched;
    pthread_t thread;
    pthread_mutex_t lock; /* protects what follows */
    struct seen *seen;
    size_t n;
    bool is_over;
};

/* ---- starting the guard ---- */

/* Is it the passphrase of a tenant that fetches nothing? The notify socket is kept back too. */
static bool is_secret(const struct config *c, const char *variable)
{
    for (size_t i = 0; i < c->ntenants; i++) {
        for (int k = 0; k < IDENTITIES; k++) {
            const char *name = c->tenants[i]->identities[k].passphrase_env;
            size_t n = name == NULL ? 0 : strlen(name);
            if (n > 0 && !tenant_fetches(c->tenants[i]) && strncmp(variable, name, n) == 0 &&
                variable[n] == '=')
                return true;
        }
    }
    return strncmp(variable, "NOTIFY_SOCKET=", 14) == 0;
}

static char **environment_for(const struct config *c)
{
    size_t n = 0, kept = 0;

    while (environ[n] != NULL)
        n++;
    char **out = mem_new((n + 1) * sizeof(char *));
    for (size_t i = 0; i < n; i++)
        if (!is_secret(c, environ[i]))
            out[kept++] = environ[i];
    return out;
}

/* In the child: becomes this program again as the guard (renewal_guard.h), with the socket and the
 * log's stderr as its only open files. */
static void become_guard(int nowhere, int end, const char *const arguments[],
                         char *const environment[])
{
    int fd = fcntl(end, F_DUPFD, RENEWAL_FD + 1);

    if (nowhere < 0 || fd < 0 || dup2(nowhere, STDIN_FILENO) < 0 ||
        dup2(nowhere, STDOUT_FILENO) < 0 || dup2(fd, RENEWAL_FD) < 0)
        _exit(127);
    (void)close_range(RENEWAL_FD + 1, ~0U, 0);
    (void)execve("/proc/self/exe", (char *const *)(uintptr_t)arguments, environment);
    _exit(127);
}

/* The tenant's private-key is configured here, but the fetched certificate does not fit it. */
static bool is_distrusted(const struct tenant *t)
{
    return tenant_fetches(t) && t->identities[IDENTITY_CURRENT].private_key != NULL &&
           !tenant_has_identity(t, IDENTITY_CURRENT);
}

static void send_order(const struct renewal *r, char order, const struct config *c)
{
    struct buf b = {0};

    buf_add(&b, &order, 1);
    for (size_t i = 0; i < c->ntenants; i++)
        if (is_distrusted(c->tenants[i]) && b.n < RENEWAL_ORDER_MAX - RENEWAL_TENANT_SIZE)
            buf_addf(&b, "\n%s", c->tenants[i]->name);
    (void)!send(r->fd, b.p, b.n, MSG_NOSIGNAL | MSG_DONTWAIT);
    buf_free(&b);
}

static struct renewal *renewal_new(int fd)
{
    struct renewal *r = NEW(struct renewal);

    r->fd = fd;
    r->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    (void)pthread_mutex_init(&r->lock, NULL);
    return r;
}

enum status renewal_start(const struct config *c, const char *const arguments[],
                          struct renewal **out, struct diag *why)
{
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC), ends[2];
    char **environment = environment_for(c);
    pid_t child = -1;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0) {
        /* Nobody waits for the child; the socket shows when it ends. */
        (void)signal(SIGCHLD, SIG_IGN);
        child = fork();
        if (child == 0)
            become_guard(nowhere, ends[1], arguments, environment);
        (void)close(ends[1]);
        if (child < 0)
            (void)close(ends[0]);
    }
    if (child < 0)
        diag_set(why,
                 "the guard of the process that renews certificates cannot be started: %s; let the "
                 "user of "
                 "sfmtls have more processes",
                 strerror(errno));
    else
        send_order(*out = renewal_new(ends[0]), RENEWAL_DISTRUST, c);
    (void)close(nowhere);
    free(environment);
    return child < 0 ? ST_SYSTEM : ST_OK;
}

/* ---- records ---- */

static struct seen *find(struct renewal *r, const char *tenant)
{
    for (size_t i = 0; i < r->n; i++)
        if (strcmp(r->seen[i].tenant, tenant) == 0)
            return &r->seen[i];
    return NULL;
}

static struct seen *find_or_add(struct renewal *r, const char *tenant)
{
    struct seen *s = find(r, tenant);

    if (s != NULL)
        return s;
    r->seen = mem_grow(r->seen, (r->n + 1) * sizeof(r->seen[0]));
    s = &r->seen[r->n++];
    *s = (struct seen){.facts = {0}};
    (void)snprintf(s->tenant, sizeof(s->tenant), "%s", tenant);
    return s;
}

/* Logs each reason once, until fetching works again. */
static void tell_failure(const struct renewal_record *rec, const struct cause *before)
{
    const struct cause *c = cause_of((enum cause_id)rec->cause);
    bool serves = rec->not_after > rec->time;
    struct diag why;

    if (c == before)
        return;
    diag_set(&why, "%s", rec->sentence);
    log_say(serves ? LOG_WARNING : LOG_ERROR,
            "tenant %s: the certificate cannot be fetched: %s: %s; %s. %s", rec->tenant, c->code,
            why.text,
            serves ? "the one that is here stays in use"
                   : "its requests get 502 until it can be fetched",
            c->cure);
}

static void tell_success(const struct renewal_record *rec, const struct cause *before)
{
    static const char next[] = "has a successor with another issuer or subject, which is "
                               "certificate-next; upload its public part to SuccessFactors";
    static const char *const news[] = {
        [RENEWAL_FIRST] = "was fetched from BTP",
        [RENEWAL_RENEWED] = "was renewed, and the old one is its fallback",
        [RENEWAL_NEXT] = next,
    };
    char end[CLOCK_TEXT_SIZE];

    clock_text_s(rec->not_after, end);
    if (rec->outcome != RENEWAL_UNCHANGED)
        log_say(LOG_NOTICE, "tenant %s: the certificate %s (valid until %.19sZ)", rec->tenant,
                news[rec->outcome], end);
    else if (before != NULL)
        log_say(LOG_NOTICE, "tenant %s: BTP can be asked again; it has no newer certificate",
                rec->tenant);
}

static void count(struct renewal_facts *f, const struct renewal_record *rec)
{
    f->next = rec->next;
    if (rec->outcome == RENEWAL_FAILED) {
        f->cause = cause_of((enum cause_id)rec->cause);
        f->failures[rec->cause]++;
        f->failed = rec->time;
        diag_set(&f->why, "%s", rec->sentence);
    } else if (rec->outcome != RENEWAL_INSPECTED) {
        f->cause = NULL;
        f->fetched = rec->time;
    }
}

static void take(struct renewal *r, const struct renewal_record *rec)
{
    (void)pthread_mutex_lock(&r->lock);
    struct renewal_facts *f = &find_or_add(r, rec->tenant)->facts;
    const struct cause *before = f->cause;
    count(f, rec);
    (void)pthread_mutex_unlock(&r->lock);
    if (rec->outcome == RENEWAL_FAILED)
        tell_failure(rec, before);
    else if (rec->outcome != RENEWAL_INSPECTED)
        tell_success(rec, before);
}

/* Returns false when the other end is closed. */
static bool receive(struct renewal *r)
{
    struct renewal_record rec;
    ssize_t n = recv(r->fd, &rec, sizeof(rec), MSG_DONTWAIT | MSG_TRUNC);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    if (n > 0 && renewal_record_is_sound(&rec, (long)n)) {
        if (rec.outcome == RENEWAL_NOTICE)
            log_say(LOG_ERROR, "the process that renews certificates %s", rec.sentence);
        else
            take(r, &rec);
    }
    return n > 0;
}

static void *thread_main(void *arg)
{
    struct renewal *r = arg;
    struct pollfd fds[] = {{.fd = r->fd, .events = POLLIN}, {.fd = r->wake, .events = POLLIN}};
    bool alive = true;

    log_attach_thread();
    while (alive) {
        (void)poll(fds, 2, -1);
        if (fds[1].revents != 0)
            return NULL;
        if (fds[0].revents != 0)
            alive = receive(r);
    }
    (void)pthread_mutex_lock(&r->lock);
    r->is_over = true;
    (void)pthread_mutex_unlock(&r->lock);
    log_say(LOG_ERROR, "the process that renews certificates has ended; restart sfmtls, or no "
                       "certificate is fetched from BTP any more");
    return NULL;
}

/* ---- life ---- */

bool renewal_watch(struct renewal *r)
{
    r->watched = r->wake >= 0 && thread_start(&r->thread, thread_main, r);
    return r->watched;
}

void renewal_stop(struct renewal *r)
{
    uint64_t one = 1;

    if (r == NULL)
        return;
    if (r->watched && write(r->wake, &one, sizeof(one)) == (ssize_t)sizeof(one))
        (void)pthread_join(r->thread, NULL);
    (void)close(r->fd);
    (void)close(r->wake);
    (void)pthread_mutex_destroy(&r->lock);
    free(r->seen);
    free(r);
}

void renewal_reloaded(struct renewal *r, const struct config *c)
{
    if (r != NULL)
        send_order(r, RENEWAL_RELOAD, c);
}

void renewal_ask(struct renewal *r, const char *tenant, struct renewal_facts *out)
{
    const struct seen *s;

    *out = (struct renewal_facts){0};
    if (r == NULL)
        return;
    (void)pthread_mutex_lock(&r->lock);
    s = find(r, tenant);
    if (s != NULL)
        *out = s->facts;
    out->is_over = r->is_over;
    (void)pthread_mutex_unlock(&r->lock);
}
