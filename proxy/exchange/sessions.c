#include "exchange/sessions.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/mem.h"
#include "http/chars.h"
#include "http/date.h"
#include "http/set_cookie.h"

enum { BUCKETS = 256 }; /* for at most SESSIONS_MAX entries, four in each */

struct cookie {
    char *pair; /* NAME=VALUE */
    char *path;
};

struct session {
    struct list node;  /* place in the list of all, in the order of their last use */
    struct list chain; /* place in its bucket */
    struct session_key key;
    uint64_t number;
    int64_t used;
    struct cookie cookies[SESSION_COOKIES];
    size_t ncookies;
    char *token; /* X-CSRF-Token; NULL: none */
};

struct sessions {
    unsigned char key[SECRET_KEY_SIZE];
    pthread_mutex_t lock; /* protects all that follows */
    struct list all, buckets[BUCKETS];
    size_t count;
    uint64_t made;
};

/* ---- beginning and end ---- */

struct sessions *sessions_new(void)
{
    struct sessions *s = NEW(struct sessions);

    secret_make_key(s->key);
    (void)pthread_mutex_init(&s->lock, NULL);
    list_init(&s->all);
    for (size_t i = 0; i < BUCKETS; i++)
        list_init(&s->buckets[i]);
    return s;
}

static void free_secret(char *text)
{
    if (text != NULL)
        secret_wipe(text, strlen(text));
    free(text);
}

static void remove_cookie(struct session *e, size_t i)
{
    free_secret(e->cookies[i].pair);
    free(e->cookies[i].path);
    e->cookies[i] = e->cookies[--e->ncookies];
}

static void forget(struct sessions *s, struct session *e)
{
    while (e->ncookies > 0)
        remove_cookie(e, 0);
    free_secret(e->token);
    list_remove(&e->node);
    list_remove(&e->chain);
    free(e);
    s->count--;
}

static void forget_all(struct sessions *s)
{
    list_each (node, &s->all)
        forget(s, list_entry(node, struct session, node));
}

void sessions_free(struct sessions *s)
{
    forget_all(s);
    (void)pthread_mutex_destroy(&s->lock);
    secret_wipe(s->key, sizeof(s->key));
    free(s);
}

void sessions_clear(struct sessions *s)
{
    (void)pthread_mutex_lock(&s->lock);
    forget_all(s);
    (void)pthread_mutex_unlock(&s->lock);
}

size_t sessions_count(struct sessions *s)
{
    (void)pthread_mutex_lock(&s->lock);
    size_t n = s->count;
    (void)pthread_mutex_unlock(&s->lock);
    return n;
}

void sessions_make_key(const struct sessions *s, const struct slice *parts, size_t count,
                       struct session_key *out)
{
    secret_mac(s->key, parts, count, out->bytes);
}

/* ---- which one ---- */

static struct list *bucket_of(struct sessions *s, const struct session_key *key)
{
    return &s->buckets[key->bytes[0] % BUCKETS];
}

static void forget_idle(struct sessions *s, int64_t now)
{
    struct list *first;

    while ((first = list_first(&s->all)) != NULL) {
        struct session *e = list_entry(first, struct session, node);
        if (now - e->used < SESSION_IDLE_US && s->count <= SESSIONS_MAX)
            return;
        forget(s, e);
    }
}

static struct session *find(struct sessions *s, const struct session_key *key, int64_t now)
{
    forget_idle(s, now);
    list_each (node, bucket_of(s, key)) {
        struct session *e = list_entry(node, struct session, chain);
        if (memcmp(e->key.bytes, key->bytes, sizeof(key->bytes)) == 0)
            return e;
    }
    return NULL;
}

static void touch(struct sessions *s, struct session *e, int64_t now)
{
    e->used = now;
    list_remove(&e->node);
    list_append(&s->all, &e->node);
}

static struct session *add(struct sessions *s, const struct session_key *key, int64_t now)
{
    struct session *e = NEW(struct session);

    e->key = *key;
    e->used = now;
    list_append(&s->all, &e->node);
    list_append(bucket_of(s, key), &e->chain);
    s->count++;
    forget_idle(s, now);
    return e;
}

/* ---- what is sent ---- */

/* RFC 6265, 5.1.4: does the cookie's path cover the request's path? */
static bool path_fits(struct slice cookie, struct slice path)
{
    if (path.n < cookie.n || memcmp(path.p, cookie.p, cookie.n) != 0)
        return false;
    return path.n == cookie.n || cookie.p[cookie.n - 1] == '/' || path.p[cookie.n] == '/';
}

static void write_fields(const struct session *e, struct slice path, bool with_token,
                         struct buf *out)
{
    const char *between = "Cookie: ";

    for (size_t i = 0; i < e->ncookies; i++) {
        if (!path_fits(slice_of(e->cookies[i].path), path))
            continue;
        buf_add_string(out, between);
        buf_add_string(out, e->cookies[i].pair);
        between = "; ";
    }
    if (between[0] == ';')
        buf_add_string(out, "\r\n");
    if (between[0] == ';' && with_token && e->token != NULL)
        buf_addf(out, "X-CSRF-Token: %s\r\n", e->token);
}

uint64_t sessions_write(struct sessions *s, const struct session_key *key, struct slice path,
                        bool with_token, int64_t now, struct buf *out)
{
    uint64_t number = 0;

    (void)pthread_mutex_lock(&s->lock);
    struct session *e = find(s, key, now);
    if (e != NULL) {
        write_fields(e, path, with_token, out);
        touch(s, e, now);
        number = e->number;
    }
    (void)pthread_mutex_unlock(&s->lock);
    return number;
}

/* ---- what is kept ---- */

/* What one Set-Cookie field says. */
struct news {
    struct slice pair, name, path;
    bool gone; /* the cookie is to be forgotten */
};

static struct slice name_of(struct slice pair)
{
    return slice_trim(slice_split(&pair, '='));
}

static bool is_session(struct slice name)
{
    return slice_eq_nocase(name, SLICE("JSESSIONID"));
}

/* The session, or the cookie of SuccessFactors' load balancer (BIGipServer..., F5). */
static bool is_kept(struct slice name)
{
    return is_session(name) ||
           (name.n >= 5 && slice_eq_nocase((struct slice){name.p, 5}, SLICE("BIGip")));
}

static bool is_over(struct slice set_cookie, struct slice pair, int64_t now_s)
{
    struct slice value = pair, age, expires;
    int64_t at;

    (void)slice_split(&value, '=');
    if (slice_trim(value).n == 0)
        return true;
    if (set_cookie_find(set_cookie, SLICE("max-age"), &age))
        return age.n > 0 && (age.p[0] == '-' || slice_eq(age, SLICE("0")));
    return set_cookie_find(set_cookie, SLICE("expires"), &expires) && date_read(expires, &at) &&
           at <= now_s;
}

/* The path of a cookie without Path: the request's path up to its last '/' (RFC 6265, 5.1.4). */
static struct slice default_path(struct slice path)
{
    size_t n = path.n;

    while (n > 0 && path.p[n - 1] != '/')
        n--;
    return n < 2 ? SLICE("/") : (struct slice){path.p, n - 1};
}

static bool read_news(struct slice set_cookie, struct slice path, int64_t now_s, struct news *out)
{
    struct slice rest = set_cookie, given;

    out->pair = slice_trim(slice_split(&rest, ';'));
    out->name = name_of(out->pair);
    out->path = default_path(path);
    if (set_cookie_find(set_cookie, SLICE("path"), &given) && given.n > 0 && given.p[0] == '/')
        out->path = given;
    out->gone = is_over(set_cookie, out->pair, now_s);
    return is_kept(out->name) && out->pair.n > out->name.n && out->pair.n <= SESSION_PAIR_MAX &&
           out->path.n <= SESSION_PATH_MAX;
}

static void keep(struct session *e, const struct news *n)
{
    for (size_t i = 0; i < e->ncookies; i++) {
        if (slice_eq(name_of(slice_of(e->cookies[i].pair)), n->name) &&
            slice_eq(slice_of(e->cookies[i].path), n->path)) {
            remove_cookie(e, i);
            break;
        }
    }
    if (n->gone || e->ncookies == SESSION_COOKIES)
        return;
    e->cookies[e->ncookies++] =
        (struct cookie){mem_copy_bytes(n->pair.p, n->pair.n), mem_copy_bytes(n->path.p, n->path.n)};
}

static bool begins_session(const struct head *h, struct slice path, int64_t now_s)
{
    const struct field *f;
    struct news n;
    size_t at = 0;

    while ((f = head_next(h, FIELD_SET_COOKIE, &at)) != NULL)
        if (read_news(f->value, path, now_s, &n) && is_session(n.name) && !n.gone)
            return true;
    return false;
}

static bool has_session(const struct session *e)
{
    for (size_t i = 0; i < e->ncookies; i++)
        if (is_session(name_of(slice_of(e->cookies[i].pair))))
            return true;
    return false;
}

static void keep_token(struct session *e, const struct head *h)
{
    const struct field *f;
    size_t at = 0;

    while ((f = head_next_named(h, SLICE("X-CSRF-Token"), &at)) != NULL) {
        struct slice value = f->value;
        if (value.n == 0 || value.n > SESSION_TOKEN_MAX ||
            slice_eq_nocase(value, SLICE("Required")) || slice_eq_nocase(value, SLICE("Fetch")))
            continue;
        free_secret(e->token);
        e->token = mem_copy_bytes(value.p, value.n);
    }
}

static void take(struct sessions *s, struct session *e, struct slice path, const struct head *h,
                 int64_t now_s)
{
    const struct field *f;
    struct news n;
    size_t at = 0;

    while ((f = head_next(h, FIELD_SET_COOKIE, &at)) != NULL)
        if (read_news(f->value, path, now_s, &n))
            keep(e, &n);
    keep_token(e, h);
    if (!has_session(e))
        forget(s, e);
}

/* A new session has begun: the token belonged to the session before. */
static void renew(struct sessions *s, struct session *e)
{
    free_secret(e->token);
    e->token = NULL;
    e->number = ++s->made;
}

void sessions_learn(struct sessions *s, const struct session_key *key, uint64_t sent,
                    struct slice path, const struct head *h, int64_t now, int64_t now_s)
{
    bool begins = h->status < 400 && begins_session(h, path, now_s);

    (void)pthread_mutex_lock(&s->lock);
    struct session *e = find(s, key, now);
    bool is_its = e != NULL && e->number == sent;
    if (e == NULL && begins)
        e = add(s, key, now);
    else if (!is_its)
        e = NULL; /* the answer belongs to another session */
    if (e != NULL && begins)
        renew(s, e);
    if (e != NULL && (h->status == 401 || h->status == 403))
        forget(s, e);
    else if (e != NULL && h->status < 400)
        take(s, e, path, h, now_s);
    (void)pthread_mutex_unlock(&s->lock);
}
