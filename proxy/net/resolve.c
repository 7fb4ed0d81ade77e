#include "net/resolve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/slice.h"
#include "net/helpers.h"
#include "net/name_service.h"

enum { MAX_CACHED = 64 };

/* A question that a helper thread answers. The answer goes to the loop's thread. */
struct job {
    struct helper_job helper;
    struct resolver *resolver;
    char *host;
    struct resolved found;
    struct failure why;
    bool tells; /* `blocked` has to be logged */
    struct diag blocked;
};

/* A name that a resolver knows, or is looking up. */
struct entry {
    struct list node;
    char *host;
    bool asking;
    int64_t answered; /* loop_now() */
    struct resolved found;
    struct list lookups;
};

struct lookup {
    struct list node;
    int port;
    resolve_done *done;
    void *ctx;
};

struct resolver {
    struct loop *loop;
    int64_t cache_ms;
    size_t nentries;
    struct list entries;
};

static struct {
    pthread_mutex_t lock;
    /* Why lookups differ from those of other programs; empty: they do not. */
    struct diag told;
} blocked_names = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct job *job_of(struct helper_job *j)
{
    return list_entry(j, struct job, helper);
}

/* ---- in the helper threads ---- */

static void take_addresses(const struct addrinfo *list, int family, struct address *out, int *count)
{
    for (const struct addrinfo *a = list; a != NULL && *count < RESOLVE_MAX; a = a->ai_next) {
        if (a->ai_family != family || a->ai_addrlen > sizeof(out->storage))
            continue;
        memset(&out[*count], 0, sizeof(out[0]));
        memcpy(&out[*count].storage, a->ai_addr, a->ai_addrlen);
        out[(*count)++].length = a->ai_addrlen;
    }
}

/* Alternates the families, beginning with that of the first address. */
static void interleave(const struct addrinfo *list, struct resolved *out)
{
    struct address first[RESOLVE_MAX], second[RESOLVE_MAX];
    int nfirst = 0, nsecond = 0;
    int family = list->ai_family;

    take_addresses(list, family, first, &nfirst);
    take_addresses(list, family == AF_INET ? AF_INET6 : AF_INET, second, &nsecond);
    for (int i = 0; i < RESOLVE_MAX; i++) {
        if (i < nfirst && out->count < RESOLVE_MAX)
            out->addresses[out->count++] = first[i];
        if (i < nsecond && out->count < RESOLVE_MAX)
            out->addresses[out->count++] = second[i];
    }
}

/* localhost and names below .localhost are always this machine, whatever the hosts file or a server
 * says (RFC 6761, 6.3). */
static bool answer_localhost(struct job *j)
{
    static const char *const loopback[] = {"127.0.0.1:0", "[::1]:0"};
    struct slice host = slice_of(j->host);
    struct diag ignored;

    if (!slice_eq_nocase(host, SLICE("localhost")) && !slice_ends_nocase(host, SLICE(".localhost")))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(loopback); i++)
        if (address_parse(loopback[i], &j->found.addresses[j->found.count], &ignored) == ST_OK)
            j->found.count++;
    return true;
}

static void say_not_found(struct job *j)
{
    failure_set(&j->why, FAIL_NAME_NOT_FOUND, "The name %s does not exist.", j->host);
}

/* invalid and names below .invalid do not exist, so nobody is asked (RFC 6761, 6.4). */
static bool answer_invalid(struct job *j)
{
    struct slice host = slice_of(j->host);

    if (!slice_eq_nocase(host, SLICE("invalid")) && !slice_ends_nocase(host, SLICE(".invalid")))
        return false;
    say_not_found(j);
    return true;
}

/* Called after successful lookups too: their answer may differ from that of the system's other
 * programs. */
static bool note_blocked(struct job *j)
{
    bool blocked = name_service_is_blocked(&j->blocked);

    (void)pthread_mutex_lock(&blocked_names.lock);
    j->tells = blocked && strcmp(j->blocked.text, blocked_names.told.text) != 0;
    blocked_names.told = blocked ? j->blocked : (struct diag){""};
    (void)pthread_mutex_unlock(&blocked_names.lock);
    return blocked;
}

static void explain(struct job *j, int error, int number)
{
    bool is_shortage = error == EAI_MEMORY || (error == EAI_SYSTEM && address_is_shortage(number));

    if (is_shortage)
        failure_set(&j->why, FAIL_SHORTAGE, "The name %s could not be looked up: %s.", j->host,
                    error == EAI_SYSTEM ? strerror(number) : gai_strerror(error));
    else if (note_blocked(j))
        failure_set(&j->why, FAIL_NAME_LOOKUP, "The name %s could not be looked up: %s.", j->host,
                    j->blocked.text);
    else if (error == 0 || error == EAI_NONAME)
        say_not_found(j);
    else
        failure_set(&j->why, FAIL_NAME_LOOKUP, "The name %s could not be looked up: %s.", j->host,
                    error == EAI_SYSTEM ? strerror(number) : gai_strerror(error));
}

static void answer(struct helper_job *helper)
{
    struct job *j = job_of(helper);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;

    if (answer_localhost(j) || answer_invalid(j))
        return;
    int error = getaddrinfo(j->host, NULL, &hints, &list), number = errno;

    if (error == 0)
        interleave(list, &j->found);
    if (list != NULL)
        freeaddrinfo(list);
    if (j->found.count == 0)
        explain(j, error, number);
    else
        (void)note_blocked(j);
}

static void job_free(struct helper_job *helper)
{
    struct job *j = job_of(helper);

    free(j->host);
    free(j);
}

/* ---- in the loop's thread ---- */

static void entry_free(struct resolver *r, struct entry *e)
{
    list_each (node, &e->lookups) {
        list_remove(node);
        free(list_entry(node, struct lookup, node));
    }
    list_remove(&e->node);
    r->nentries--;
    free(e->host);
    free(e);
}

static struct entry *find(struct resolver *r, const char *host)
{
    list_each (node, &r->entries) {
        struct entry *e = list_entry(node, struct entry, node);
        if (strcmp(e->host, host) == 0)
            return e;
    }
    return NULL;
}

static void with_port(const struct resolved *from, int port, struct resolved *out)
{
    *out = *from;
    for (int i = 0; i < out->count; i++)
        address_set_port(&out->addresses[i], port);
}

static void on_answer(struct helper_job *helper)
{
    struct job *j = job_of(helper);
    struct resolver *r = j->resolver;
    struct entry *e = find(r, j->host);
    struct list lookups, *first;

    if (j->tells)
        log_say(LOG_WARNING, "names are not looked up as the system says: %s", j->blocked.text);
    e->asking = false;
    e->found = j->found;
    e->answered = loop_now(r->loop);
    list_init(&lookups);
    list_splice(&lookups, &e->lookups);
    while ((first = list_first(&lookups)) != NULL) { /* a callback may remove the entry */
        struct lookup *l = list_entry(first, struct lookup, node);
        struct resolved found;
        list_remove(first);
        with_port(&j->found, l->port, &found);
        l->done(l->ctx, found.count > 0 ? &found : NULL, &j->why);
        free(l);
    }
    job_free(helper);
}

void resolver_set_cache(struct resolver *r, int64_t cache_ms)
{
    r->cache_ms = cache_ms;
}

struct resolver *resolver_new(struct loop *l, int64_t cache_ms)
{
    struct resolver *r = NEW(struct resolver);

    r->loop = l;
    r->cache_ms = cache_ms;
    list_init(&r->entries);
    return r;
}

void resolver_free(struct resolver *r)
{
    list_each (node, &r->entries)
        entry_free(r, list_entry(node, struct entry, node));
    free(r);
}

static bool parse_literal(const char *host, struct resolved *out)
{
    struct address *a = &out->addresses[0];
    struct sockaddr_in *in = (struct sockaddr_in *)&a->storage;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&a->storage;

    memset(a, 0, sizeof(*a));
    out->count = 1;
    if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
        a->any.sa_family = AF_INET;
        a->length = sizeof(*in);
        return true;
    }
    a->any.sa_family = AF_INET6;
    a->length = sizeof(*in6);
    return inet_pton(AF_INET6, host, &in6->sin6_addr) == 1;
}

bool resolver_knows(struct resolver *r, const char *host, int port, struct resolved *out)
{
    if (parse_literal(host, out)) {
        address_set_port(&out->addresses[0], port);
        return true;
    }
    const struct entry *e = find(r, host);
    if (e == NULL || e->asking || e->found.count == 0 ||
        loop_now(r->loop) - e->answered >= r->cache_ms)
        return false;
    with_port(&e->found, port, out);
    return true;
}

/* Removes the oldest entries that nobody waits for. Names come from the configuration, so there are
 * few. */
static void make_room(struct resolver *r)
{
    list_each (node, &r->entries) {
        struct entry *e = list_entry(node, struct entry, node);
        if (r->nentries < MAX_CACHED)
            return;
        if (!e->asking)
            entry_free(r, e);
    }
}

static void ask(struct resolver *r, struct entry *e)
{
    struct job *j = NEW(struct job);

    e->asking = true;
    j->helper =
        (struct helper_job){.loop = r->loop, .work = answer, .done = on_answer, .drop = job_free};
    j->resolver = r;
    j->host = mem_copy_string(e->host);
    if (!helpers_submit(HELPERS_NAMES, &j->helper))
        abort(); /* HELPERS_NAMES has no limit */
}

struct lookup *resolver_lookup(struct resolver *r, const char *host, int port, resolve_done *done,
                               void *ctx)
{
    struct entry *e = find(r, host);
    struct lookup *l = NEW(struct lookup);

    if (e == NULL) {
        make_room(r);
        e = NEW(struct entry);
        e->host = mem_copy_string(host);
        list_init(&e->lookups);
        list_append(&r->entries, &e->node);
        r->nentries++;
    }
    l->port = port;
    l->done = done;
    l->ctx = ctx;
    list_append(&e->lookups, &l->node);
    if (!e->asking)
        ask(r, e);
    return l;
}

void lookup_cancel(struct lookup *l)
{
    list_remove(&l->node);
    free(l);
}
