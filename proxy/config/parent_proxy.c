#include "config/parent_proxy.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "config/load_parts.h"

struct shared_parent {
    /* first: pointers to it are converted to pointers to the whole struct */
    struct parent_proxy parent;
    atomic_int refs;
    pthread_mutex_t lock; /* protects the next two members */
    struct buf nonce;
    unsigned count;
};

static struct shared_parent *shared(struct parent_proxy *p)
{
    return (struct shared_parent *)(void *)p;
}

struct parent_proxy *load_parent_new(void)
{
    struct shared_parent *s = NEW(struct shared_parent);

    atomic_init(&s->refs, 1);
    (void)pthread_mutex_init(&s->lock, NULL);
    return &s->parent;
}

struct parent_proxy *parent_proxy_ref(struct parent_proxy *p)
{
    if (p != NULL)
        atomic_fetch_add_explicit(&shared(p)->refs, 1, memory_order_relaxed);
    return p;
}

void parent_proxy_unref(struct parent_proxy *p)
{
    if (p == NULL || atomic_fetch_sub_explicit(&shared(p)->refs, 1, memory_order_acq_rel) > 1)
        return;
    free(p->at.host);
    free(p->name);
    free(p->where);
    free(p->user);
    file_wipe(&p->password);
    free(p->ccache);
    free(p->keytab);
    (void)pthread_mutex_destroy(&shared(p)->lock);
    buf_free(&shared(p)->nonce);
    free(shared(p));
}

unsigned parent_proxy_count(struct parent_proxy *p, struct slice nonce)
{
    struct shared_parent *s = shared(p);

    (void)pthread_mutex_lock(&s->lock);
    if (!slice_eq(buf_slice(&s->nonce), nonce)) {
        s->nonce.n = 0;
        buf_add_slice(&s->nonce, nonce);
        s->count = 0;
    }
    unsigned count = ++s->count;
    (void)pthread_mutex_unlock(&s->lock);
    return count;
}

char *parent_proxy_place(const struct endpoint *at)
{
    const struct authority a = {slice_of(at->host), at->port, strchr(at->host, ':') != NULL};
    struct buf text = {0};

    authority_write(&text, &a, 0);
    char *copy = mem_copy_bytes(text.p, text.n);
    buf_free(&text);
    return copy;
}

/* ---- the option ---- */

static bool begins(const char *text, const char *beginning)
{
    return slice_eq_nocase((struct slice){text, strnlen(text, strlen(beginning))},
                           slice_of(beginning));
}

static enum status refuse(const char *text, struct diag *why)
{
    const char *scheme = strstr(text, "://");

    if (scheme != NULL && !begins(text, "http://"))
        diag_set(why,
                 "a parent proxy is spoken to by plain HTTP, not %.*s; write http://HOST:PORT, "
                 "system or none",
                 (int)(scheme - text), text);
    else if (strchr(text, '@') != NULL)
        diag_set(why, "the parent proxy is named together with a user; write http://HOST:PORT, and "
                      "set parent-proxy-user and parent-proxy-password-file");
    else
        diag_set(why, "`%s` is not a parent proxy; write http://HOST:PORT, system or none", text);
    return ST_BAD_INPUT;
}

enum status parent_proxy_parse(const char *text, enum parent_kind *kind, struct endpoint *out,
                               struct diag *why)
{
    struct slice s = slice_of(text);
    struct authority a;

    *kind = strcmp(text, "system") == 0 ? PARENT_SYSTEM : PARENT_NONE;
    if (*kind == PARENT_SYSTEM || strcmp(text, "none") == 0)
        return ST_OK;
    if (begins(text, "http://")) {
        s = (struct slice){s.p + 7, s.n - 7};
        if (s.n > 0 && s.p[s.n - 1] == '/')
            s.n--;
    }
    if (!authority_parse(s, &a) || a.port == 0)
        return refuse(text, why);
    *kind = PARENT_NAMED;
    a.host = authority_without_dot(a.host);
    *out = (struct endpoint){mem_copy_bytes(a.host.p, a.host.n), a.port};
    return ST_OK;
}

/* ---- Kerberos ---- */

bool parent_proxy_may_need_gss(const struct parent_proxy *p)
{
    return p != NULL &&
           (p->auth == PARENT_AUTO || p->auth == PARENT_NEGOTIATE || p->auth == PARENT_NTLM);
}

bool parent_proxy_can_read_ccache(const char *ccache)
{
    const char *colon = strchr(ccache, ':');
    bool has_type = colon != NULL && memchr(ccache, '/', (size_t)(colon - ccache)) == NULL;

    return !has_type || begins(ccache, "FILE:") || begins(ccache, "DIR:/") ||
           begins(ccache, "KCM:");
}

const char *parent_proxy_environment_ccache(void)
{
    const char *set = getenv("KRB5CCNAME");

    return set != NULL && *set != '\0' ? set : NULL;
}

char *parent_proxy_ccache(const struct parent_proxy *p)
{
    const char *set = p->ccache != NULL ? p->ccache : parent_proxy_environment_ccache();

    if (p->keytab != NULL)
        return mem_format("MEMORY:sfmtls %s", p->keytab);
    if (set != NULL && parent_proxy_can_read_ccache(set))
        return mem_copy_string(set);
    return mem_format("FILE:/tmp/krb5cc_%lu", (unsigned long)geteuid());
}

/* ---- the whole ---- */

void parent_proxy_digest(const struct parent_proxy *p, struct buf *out)
{
    if (p == NULL) {
        buf_add_string(out, "direct\n");
        return;
    }
    buf_addf(out, "%s\n%d\n%s\n%s\n%s\n", p->name, (int)p->auth, p->user == NULL ? "" : p->user,
             p->ccache == NULL ? "" : p->ccache, p->keytab == NULL ? "" : p->keytab);
}

struct parent_proxy *config_parent_of(const struct config *c, const struct endpoint *to)
{
    return c->connect_parents == NULL ? NULL : c->connect_parents[to - c->connect_allow];
}
